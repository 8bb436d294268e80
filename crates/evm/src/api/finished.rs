use super::changes::PartialChanges;
use crate::error::Skipped;
use crate::protocol::{Block, Protocol};
use revm::context::result::ExecutionResult;
use std::sync::Arc;
use std::time::Duration;
use tandem_state::StateChanges;

/// A block whose execution is final.
#[derive(Clone, Debug)]
pub struct FinishedBlock<P: Protocol> {
    /// The block that was executed.
    pub block: Arc<Block<P>>,
    /// One receipt a transaction.
    pub receipts: Vec<P::Receipt>,
    /// Gas used by all transactions.
    pub gas_used: u64,
    /// What the chain collects of a block besides receipts.
    pub summary: P::Summary,
    /// revm's result of each transaction: output, logs, gas and refund, why it halted. Empty without [`super::Stream::keep_results`] or
    /// [`super::Call::keep_results`].
    pub results: Vec<ExecutionResult>,
    /// Transactions that were left out, by index, in order; there are none without [`super::Stream::skip_invalid`]
    /// or [`super::Call::skip_invalid`]. Neither receipts nor results have one for them.
    pub skipped: Vec<(usize, Skipped)>,
    /// What its steps went through.
    pub history: BlockHistory,
    /// Time from the end of the block before, or the stream's start, to this block's end. These add up to the time of
    /// the stream; they say little about one block alone, since later blocks execute meanwhile.
    pub time: Duration,
    pub(crate) parts: Vec<PartialChanges>,
}

/// A block whose execution is final, and what inspectors made of its transactions (see [`crate::Tracing`]).
#[derive(Clone, Debug)]
pub struct InspectedBlock<P: Protocol, T> {
    /// The block.
    pub block: FinishedBlock<P>,
    /// One trace a transaction.
    pub traces: Vec<T>,
}

/// Counts over the steps of one block: its transactions, start and end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BlockHistory {
    /// Results found invalid, at their turn or before.
    pub conflicts: u64,
    /// Invalid results that were made valid without executing again.
    pub repairs: u64,
    /// Executions beyond the first of each step.
    pub reexecutions: u64,
}

impl<P: Protocol> FinishedBlock<P> {
    /// The state changes of the whole block.
    pub fn state_changes(&self) -> StateChanges {
        let mut parts = self.parts.iter().map(PartialChanges::state_changes);
        let mut changes = parts.next().unwrap_or_default();
        parts.for_each(|part| changes.extend(part));
        changes
    }

    /// The state changes in pieces, in order.
    ///
    /// Before Byzantium each transaction is a piece of its own, since receipts hold the state's root after it, and what
    /// comes after the last transaction is one more. Later, blocks come in few pieces: those that
    /// [`super::Stream::observe`] has shown, and the rest.
    pub fn parts(&self) -> &[PartialChanges] {
        &self.parts
    }
}
