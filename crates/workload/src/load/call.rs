use crate::contract::Contract;
use crate::error::WorkloadError;
use crate::genesis::UNIT;
use crate::rng::SplitMix64;
use crate::world::World;
use alloy_primitives::{Address, Bytes, U256};
use std::fmt::Debug;

/// The most that a transaction transfers, in wei.
pub(super) const MAX_VALUE: u64 = (UNIT / 10) as u64;

/// The most that a transaction moves of a token, in its units.
pub(super) const MAX_TOKENS: u64 = (10 * UNIT) as u64;

/// The most gas that any transaction may use.
pub(super) const MAX_GAS: u64 = 2_000_000;

/// How many recipients in a hundred are fresh, where some are: addresses that no transaction named before.
pub(super) const FRESH_PERCENT: u64 = 10;

/// A source of calls.
pub(crate) trait Load: Debug + Send {
    /// The contracts that the calls need, tokens apart.
    ///
    /// # Errors
    ///
    /// If an artifact is not as it should be.
    fn contracts(&self) -> Result<Vec<Contract>, WorkloadError>;

    /// The gas of so many calls.
    fn gas(&self, calls: usize) -> Gas;

    /// The next calls, of which there is at least one. All of them succeed.
    fn calls(&mut self, count: usize, world: &World, rng: &mut SplitMix64) -> Vec<Call>;
}

/// The gas of some calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Gas {
    /// Their gas together, or a little more.
    pub(crate) used: u64,
    /// Their gas together if expensive ones meet.
    pub(crate) most: u64,
    /// The highest gas limit of them.
    pub(crate) highest_limit: u64,
}

impl Gas {
    pub(super) fn new(calls: usize, used: u64, limit: u64) -> Self {
        let used = calls as u64 * used;
        Self { used, most: used, highest_limit: limit }
    }

    pub(super) fn plus(self, other: Self) -> Self {
        Self {
            used: self.used + other.used,
            most: self.most + other.most,
            highest_limit: self.highest_limit.max(other.highest_limit),
        }
    }

    /// The gas limit of a block that these calls half fill.
    ///
    /// It is rather too high than too low, so that the base fee (EIP-1559) falls in the long run.
    pub(crate) fn block_limit(self) -> u64 {
        (self.used * 21 / 10).max(self.most + self.highest_limit).next_multiple_of(1_000)
    }
}

/// A transaction without its fees and nonce.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    /// The sender's index among the signers.
    pub(crate) sender: usize,
    pub(crate) to: Address,
    pub(crate) value: U256,
    pub(crate) input: Bytes,
    pub(crate) gas_limit: u64,
    /// The signer, by index, that delegates to the wallet's code with this transaction (EIP-7702).
    pub(crate) authority: Option<usize>,
}

impl Call {
    /// A call that sends no ether.
    pub(crate) const fn new(sender: usize, to: Address, input: Bytes, gas_limit: u64) -> Self {
        Self { sender, to, value: U256::ZERO, input, gas_limit, authority: None }
    }

    /// The same call with ether.
    pub(crate) fn with_value(self, value: u64) -> Self {
        Self { value: U256::from(value), ..self }
    }
}
