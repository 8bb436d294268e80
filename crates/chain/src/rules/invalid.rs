use super::{BodyError, HeaderError, HeaderFault, OmmerError};
use alloy_primitives::B256;
use std::error::Error;
use std::fmt::{Display, Formatter};
use thiserror::Error;

/// Says which block breaks a rule, and which rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invalid<F> {
    /// The block's number, as its header states it.
    pub number: u64,
    /// The block's hash.
    pub hash: B256,
    /// The broken rule.
    pub fault: F,
}

impl<F: Display> Display for Invalid<F> {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        write!(f, "block {} ({}): {}", self.number, self.hash, self.fault)
    }
}

impl<F: Display + std::fmt::Debug> Error for Invalid<F> {}

/// Why a block cannot follow the one before it, whatever executing it gives.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum BlockError {
    /// A field of the header.
    #[error(transparent)]
    Header(#[from] HeaderError),
    /// The body, or a field of the header that sums it up.
    #[error(transparent)]
    Body(#[from] BodyError),
    /// An ommer.
    #[error(transparent)]
    Ommers(#[from] OmmerError),
}

impl BlockError {
    /// Whether the block is refused because its rules are not known, which says nothing about its validity.
    pub fn is_unknown_fork(&self) -> bool {
        matches!(self, Self::Header(HeaderError { fault: HeaderFault::Fork { .. }, .. }))
    }
}

/// Shows a field that may be absent.
pub(super) fn show<T: Display>(value: &Option<T>) -> String {
    value.as_ref().map_or_else(|| "absent".to_owned(), T::to_string)
}
