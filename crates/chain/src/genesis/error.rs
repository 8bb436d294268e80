use std::io;
use thiserror::Error;

/// Why a genesis cannot be read.
#[derive(Debug, Error)]
pub enum GenesisError {
    /// Reading failed.
    #[error("reading the genesis failed: {0}")]
    Io(#[source] io::Error),
    /// It is not JSON, or ends too early.
    #[error("the genesis is not valid JSON: {0}")]
    Syntax(String),
    /// A field is missing, or is not what it should be.
    #[error("the genesis is unusable: field {field}: {reason}")]
    Field {
        /// The field: `config.londonBlock`, `alloc.0x00…01.balance`.
        field: String,
        /// Its fault.
        reason: String,
    },
}

impl GenesisError {
    pub(super) fn field(field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Field { field: field.into(), reason: reason.into() }
    }
}
