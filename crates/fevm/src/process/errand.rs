//! The parent's requests to a process, and the answers.

use std::sync::Arc;

use cid::Cid;

use super::wire::Context;
use crate::speculation::Outcome;

/// A step that a process has been given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Given {
    pub(super) tipset: u64,
    pub(super) position: usize,
}

/// The outcome of a step that a process was given.
pub(crate) struct Arrival {
    /// The step's position in the tipset.
    pub(crate) position: usize,
    /// The process.
    pub(crate) process: usize,
    /// `None` if it was not tried.
    pub(crate) outcome: Option<Outcome>,
}

/// The facts that processes need to execute a tipset's steps.
pub(super) struct Tipset {
    pub(super) context: Context,
    pub(super) contracts: Arc<[Cid]>,
}
