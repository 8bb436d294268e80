use super::body::BodyError;
use super::fault::{HeaderError, HeaderFault};
use super::ommers::OmmerError;
use thiserror::Error;

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
