use super::repair::Transfer;
use crate::error::Skipped;
use crate::protocol::{Executed, Protocol};
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
pub(crate) enum Output<P: Protocol, T> {
    Start,
    Transaction(TransactionOutput<T>),
    /// Of a transaction that is left out.
    Skipped(Box<Skipped>),
    End(P::End),
}

/// What a transaction yields.
#[derive(Debug)]
pub(crate) struct TransactionOutput<T> {
    pub(crate) executed: Executed,
    /// There if the stream keeps results.
    pub(crate) result: Option<Box<ExecutionResult>>,
    /// Boxed since hardly any transaction has one.
    pub(super) transfer: Option<Box<Transfer>>,
    /// What an inspector made of it.
    pub(crate) trace: Option<T>,
}
