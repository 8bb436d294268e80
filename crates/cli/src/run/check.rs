use super::proof::Proof;
use alloy_eips::eip7685::Requests;
use alloy_primitives::{Address, B256};
use serde::Serialize;
use std::sync::Arc;
use tandem_evm::{
    Block, FinishedBlock, PartialChanges, Receipt, logs_bloom, receipts_root, receipts_root_before_byzantium,
};
use tandem_state::StateChanges;

/// Faults of one pre-state that are named; more say nothing more.
const SHOWN_FAULTS: usize = 3;

/// What executing a block gave, in the form that all modes share.
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) block: Arc<Block>,
    pub(crate) receipts: Vec<Receipt>,
    pub(crate) gas_used: u64,
    pub(crate) requests: Option<Requests>,
    pub(crate) changes: StateChanges,
    /// The changes of each transaction, and of what comes after the last, if they are known and receipts hold roots.
    pub(crate) parts: Vec<StateChanges>,
}

impl From<FinishedBlock> for Output {
    fn from(finished: FinishedBlock) -> Self {
        let changes = finished.state_changes();
        let parts = if finished.block.receipts_hold_roots() {
            finished.parts().iter().map(PartialChanges::state_changes).collect()
        } else {
            Vec::new()
        };
        let FinishedBlock { block, receipts, gas_used, requests, .. } = finished;
        Self { block, receipts, gas_used, requests, changes, parts }
    }
}

impl Output {
    pub(crate) fn requests_hash(&self) -> Option<B256> {
        self.requests.as_ref().map(Requests::requests_hash)
    }
}

/// What a check says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) enum Verdict {
    #[serde(rename = "ok")]
    Ok,
    #[serde(rename = "fail")]
    Fail,
    /// Not checked: the header says nothing of it, or it was not asked for.
    #[default]
    #[serde(rename = "n/a")]
    NotApplicable,
}

/// The checks of one block.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Checks {
    pub(crate) senders: Verdict,
    pub(crate) gas: Verdict,
    pub(crate) bloom: Verdict,
    pub(crate) receipts_root: Verdict,
    pub(crate) requests_hash: Verdict,
    pub(crate) parent_root: Verdict,
    pub(crate) state_root: Verdict,
    /// One line per failed check.
    #[serde(skip)]
    pub(crate) differences: Vec<String>,
}

impl Checks {
    pub(crate) fn new(output: &Output, expected_senders: &[Address], proof: Option<&Proof>) -> Self {
        let mut checks = Self::default();
        let header = output.block.header();
        let wrong_sender = output
            .block
            .senders()
            .zip(expected_senders)
            .enumerate()
            .find(|(_, (recovered, stated))| recovered != *stated);
        checks.senders = match wrong_sender {
            None => Verdict::Ok,
            Some((index, (recovered, stated))) => {
                checks.differences.push(format!(
                    "transaction {index}: its signature recovers to {recovered}, but its sender is given as {stated}"
                ));
                Verdict::Fail
            }
        };
        checks.gas = checks.compare("gas used", &output.gas_used, &header.gas_used);
        // The filters are long: their difference says nothing to a person.
        checks.bloom = if logs_bloom(&output.receipts) == header.logs_bloom {
            Verdict::Ok
        } else {
            checks.differences.push("the logs bloom is not the header's".to_owned());
            Verdict::Fail
        };
        if !output.block.receipts_hold_roots() {
            checks.receipts_root =
                checks.compare("the receipts root", &receipts_root(&output.receipts), &header.receipts_root);
        }
        if let (Some(hash), Some(expected)) = (output.requests_hash(), header.requests_hash) {
            checks.requests_hash = checks.compare("the requests hash", &hash, &expected);
        }
        if let Some(proof) = proof {
            checks.check_state(output, proof);
        }
        checks
    }

    /// Checks the states before and after, and receipts that hold roots.
    fn check_state(&mut self, output: &Output, proof: &Proof) {
        let header = output.block.header();
        self.parent_root = if proof.faults.is_empty() { Verdict::Ok } else { Verdict::Fail };
        let shown = proof.faults.iter().take(SHOWN_FAULTS);
        self.differences.extend(shown.map(|fault| format!("the state before the block: {fault}")));
        let known_in_parts = !output.parts.is_empty();
        let whole = std::slice::from_ref(&output.changes);
        match proof.roots(if known_in_parts { &output.parts } else { whole }) {
            Ok(roots) => {
                self.state_root = self.compare("the state root", &roots.block, &header.state_root);
                if known_in_parts {
                    let root = receipts_root_before_byzantium(&output.receipts, &roots.transactions);
                    self.receipts_root = self.compare("the receipts root", &root, &header.receipts_root);
                }
            }
            Err(error) => {
                self.differences.push(format!("the state root cannot be computed: {error}"));
                self.state_root = Verdict::Fail;
            }
        }
    }

    /// Checks the root of the state after the block, if it was computed.
    pub(crate) fn check_root(&mut self, output: &Output, root: Option<B256>) {
        if let Some(root) = root {
            self.state_root = self.compare("the state root", &root, &output.block.header().state_root);
        }
    }

    fn compare<T: PartialEq + std::fmt::Display>(&mut self, what: &str, actual: &T, expected: &T) -> Verdict {
        if actual == expected {
            return Verdict::Ok;
        }
        self.differences.push(format!("{what} is {actual}, but the header says {expected}"));
        Verdict::Fail
    }

    pub(crate) fn passed(&self) -> bool {
        self.differences.is_empty()
    }
}
