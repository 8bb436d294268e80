use super::repair::Transfer;
use crate::protocol::Protocol;
use crate::trace_notes::Notes;
use revm::context::result::ExecutionResult;

/// Which part of its block a step is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Start,
    Transaction(usize),
    End,
}

/// One unit of the stream.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step {
    /// The block's number among the stream's (see [`super::in_flight::Jobs`]).
    pub(crate) block: u64,
    pub(crate) part: Part,
}

/// What a step yields.
#[derive(Debug)]
pub(crate) enum Output<P: Protocol> {
    Start,
    Transaction(TransactionOutput),
    End(P::End),
}

/// What a transaction yields.
#[derive(Debug)]
pub(crate) struct TransactionOutput {
    pub(crate) result: ExecutionResult,
    /// Boxed since hardly any transaction has one.
    pub(super) transfer: Option<Box<Transfer>>,
    /// There if somebody traces.
    pub(crate) notes: Option<Box<Notes>>,
}

impl From<ExecutionResult> for TransactionOutput {
    fn from(result: ExecutionResult) -> Self {
        Self { result, transfer: None, notes: None }
    }
}
