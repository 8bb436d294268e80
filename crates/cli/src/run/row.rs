use super::check::{Checks, Evidence};
use crate::shared::digest::block_digest;
use crate::shared::executed::ExecutedBlock;
use crate::shared::input::PreState;
use crate::shared::proof::Proof;
use alloy_primitives::{Address, B256};
use std::time::Duration;
use tandem_evm::{BlockHistory, SignedBlock};

/// The results of one block.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) chain_id: u64,
    pub(crate) number: u64,
    pub(crate) fork: &'static str,
    pub(crate) transactions: usize,
    pub(crate) gas: u64,
    pub(crate) time: Duration,
    pub(crate) history: BlockHistory,
    /// Why the block was not executed, or the results of its checks.
    pub(crate) result: Result<Checks, Stop>,
}

/// Why a block was not executed.
#[derive(Debug)]
pub(crate) enum Stop {
    /// It is invalid.
    Invalid(String),
    /// Its data, or the state before it, does not suffice.
    Unchecked(String),
}

/// The facts about a block before it runs.
pub(crate) struct Facts {
    pub(super) name: String,
    pub(super) world: usize,
    pub(super) chain_id: u64,
    pub(super) number: u64,
    pub(super) fork: &'static str,
    pub(super) transactions: usize,
    pub(super) expected_senders: Vec<Address>,
    pub(super) proof: Option<Proof>,
    pub(super) pre_state: PreState,
}

impl Facts {
    /// The facts of a block alone in its world.
    pub(crate) fn new(
        name: String,
        signed: &SignedBlock,
        expected_senders: Vec<Address>,
        proof: Option<Proof>,
        pre_state: PreState,
    ) -> Self {
        let header = &signed.header;
        Self {
            name,
            world: 0,
            chain_id: signed.chain.chain_id(),
            number: header.number,
            fork: signed.chain.fork(header.number, header.timestamp).unwrap_or_else(|error| error.fork()),
            transactions: signed.transactions.len(),
            expected_senders,
            proof,
            pre_state,
        }
    }
}

/// How strictly blocks are checked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted {
    /// Whether roots are computed that witnesses do not prove.
    pub(crate) unproven: bool,
    /// Whether nothing may be left unchecked.
    pub(crate) must_prove: bool,
}

/// Checks one block, if that is wanted, and computes its digest. `root` is that of the state after the block, if it was
/// computed.
pub(crate) fn row(
    wanted: Option<Wanted>,
    facts: &Facts,
    result: Result<ExecutedBlock, Stop>,
    root: Option<B256>,
) -> (Row, B256) {
    let Facts { ref name, chain_id, number, fork, transactions, ref expected_senders, ref proof, .. } =
        *facts;
    let lacks_ommers = facts.pre_state.lacks_ommers;
    let (result, digest, gas, time, history) = match result {
        Ok(ExecutedBlock { output, time, history }) => {
            let mut checks = Checks::default();
            if let Some(Wanted { unproven, must_prove }) = wanted {
                let (senders, proof) = (&expected_senders[..], proof.as_ref());
                checks =
                    Checks::new(&output, Evidence { senders, proof, lacks_ommers, unproven, must_prove });
                checks.check_root(&output, root);
            }
            (Ok(checks), block_digest(&output), output.gas_used, time, history)
        }
        Err(error) => (Err(error), B256::ZERO, 0, Duration::ZERO, BlockHistory::default()),
    };
    let name = name.clone();
    (Row { name, chain_id, number, fork, transactions, gas, time, history, result }, digest)
}
