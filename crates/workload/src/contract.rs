use crate::contracts::Artifact;
use crate::error::WorkloadError;
use alloy_primitives::{Address, Bytes, U256};
use std::ops::Range;

/// A contract in the genesis state, tokens apart.
#[derive(Clone, Debug)]
pub(crate) struct Contract {
    pub(crate) address: Address,
    pub(crate) code: Bytes,
    /// Slots and their values, none of them zero.
    pub(crate) storage: Vec<(U256, U256)>,
    /// Its balances, by the token's index.
    pub(crate) holds: Vec<(usize, u128)>,
    /// Tokens on which every signer that holds them gives it an allowance without limit.
    pub(crate) draws_on: Vec<usize>,
    /// If not every signer does: these alone, by index.
    pub(crate) drawn_by: Option<Range<usize>>,
    /// Tokens on which it gives others an allowance without limit, by the token's index.
    pub(crate) lets_draw: Vec<(usize, Address)>,
}

impl Contract {
    /// A contract with nothing but its code.
    pub(crate) const fn new(address: Address, code: Bytes) -> Self {
        Self {
            address,
            code,
            storage: Vec::new(),
            holds: Vec::new(),
            draws_on: Vec::new(),
            drawn_by: None,
            lets_draw: Vec::new(),
        }
    }

    /// Which of a token's owners give it an allowance.
    pub(crate) fn drawn_by(&self, owners: Range<usize>) -> Range<usize> {
        match &self.drawn_by {
            Some(signers) => signers.start.max(owners.start)..signers.end.min(owners.end),
            None => owners,
        }
    }

    /// A contract of an artifact with nothing but its code.
    pub(crate) fn of(address: Address, artifact: &Artifact) -> Self {
        Self::new(address, artifact.code().clone())
    }

    /// A contract with values for some of its variables.
    pub(crate) fn with_variables(
        address: Address,
        artifact: &Artifact,
        variables: &[(&str, U256)],
    ) -> Result<Self, WorkloadError> {
        let storage: Result<_, _> =
            variables.iter().map(|(variable, value)| Ok((artifact.slot(variable)?, *value))).collect();
        Ok(Self { storage: storage?, ..Self::of(address, artifact) })
    }
}
