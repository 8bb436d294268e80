use alloy_eips::eip7685::Requests;
use alloy_primitives::B256;
use std::sync::Arc;
use std::time::Duration;
use tandem_evm::{Block, BlockHistory, FinishedBlock, PartialChanges, Receipt};
use tandem_state::StateChanges;

/// A block after its execution in any mode.
pub(crate) struct ExecutedBlock {
    pub(crate) output: Output,
    pub(crate) time: Duration,
    pub(crate) history: BlockHistory,
}

/// The results of executing a block, in a form common to all modes.
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

impl From<FinishedBlock> for ExecutedBlock {
    fn from(finished: FinishedBlock) -> Self {
        let (time, history) = (finished.time, finished.history);
        Self { output: Output::from(finished), time, history }
    }
}

impl From<FinishedBlock> for Output {
    fn from(finished: FinishedBlock) -> Self {
        let changes = finished.state_changes();
        let parts = if finished.block.receipts_hold_roots() {
            finished.parts().iter().map(PartialChanges::state_changes).collect()
        } else {
            Vec::new()
        };
        let FinishedBlock { block, receipts, gas_used, summary, .. } = finished;
        Self { block, receipts, gas_used, requests: summary.requests, changes, parts }
    }
}

impl Output {
    pub(crate) fn requests_hash(&self) -> Option<B256> {
        self.requests.as_ref().map(Requests::requests_hash)
    }
}
