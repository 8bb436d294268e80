use crate::codec::ReadError;
use crate::header_chain::BrokenChain;
use crate::rules::{BlockError, ExecutionMismatch};
use alloy_primitives::B256;
use std::path::PathBuf;
use tandem_evm::{ConfigError, ExecutionError, SenderError, StoreRefError};
use tandem_state::database::DatabaseError;
use tandem_state::trie::TrieError;
use thiserror::Error;

/// Why an import ended before its input did.
#[derive(Debug, Error)]
pub enum ImportError {
    /// A file cannot be read as blocks.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A block breaks a rule of its own or does not follow its parent.
    #[error("{}: block {index} of the file: {error}", path.display())]
    Block {
        /// The file.
        path: PathBuf,
        /// How many blocks come before it in the file.
        index: u64,
        /// The broken rule.
        error: Box<BlockError>,
    },
    /// The first block of a file does not follow the genesis.
    #[error("{}: block {index} of the file does not follow the genesis: either is of another chain: {error}", path.display())]
    NotOfGenesis {
        /// The file.
        path: PathBuf,
        /// How many blocks come before it in the file.
        index: u64,
        /// The broken rule.
        error: Box<BlockError>,
    },
    /// A file has a genesis block, but another one.
    #[error("{}: block {index} of the file is the genesis {found}, but the database starts from the genesis {genesis}: they are different chains", path.display())]
    OtherGenesis {
        /// The file.
        path: PathBuf,
        /// How many blocks come before it in the file.
        index: u64,
        /// The hash of the database's genesis.
        genesis: B256,
        /// The hash of the file's.
        found: B256,
    },
    /// A genesis has other rules for blocks that are in the database.
    #[error(
        "the genesis differs from the one that the database was made with in {what}: {found} instead of {stored}, and block {block} of the database is subject to that; to go on with this genesis, unwind to a block before it, else leave the genesis out"
    )]
    Incompatible {
        /// The fork, or the field of the configuration.
        what: String,
        /// The database's value.
        stored: String,
        /// The genesis' value.
        found: String,
        /// The first block for which that matters.
        block: u64,
    },
    /// A block does not come right after the last one.
    #[error("{}: block {index} of the file has number {number}, but the last block before it is {head}: blocks are missing", path.display())]
    Gap {
        /// The file.
        path: PathBuf,
        /// How many blocks come before it in the file.
        index: u64,
        /// The block's number.
        number: u64,
        /// The number of the last block that is known.
        head: u64,
    },
    /// A block with the number of one in the database, but another block.
    #[error("{}: block {index} of the file is block {number} ({hash}), but the database holds another block {number}; to switch to this branch, unwind to a block before it", path.display())]
    Fork {
        /// The file.
        path: PathBuf,
        /// How many blocks come before it in the file.
        index: u64,
        /// The block's number.
        number: u64,
        /// The block's hash.
        hash: B256,
    },
    /// A signature is invalid.
    #[error(transparent)]
    Sender(#[from] SenderError),
    /// Execution found the block invalid, or failed.
    #[error(transparent)]
    Execution(Box<ExecutionError<StoreRefError<DatabaseError>>>),
    /// Execution gives other results than the header states.
    #[error(transparent)]
    Mismatch(Box<ExecutionMismatch>),
    /// The tries could not be read.
    #[error("the state's tries: {0}")]
    Trie(#[from] TrieError<DatabaseError>),
    /// The database failed.
    #[error("the database: {0}")]
    Database(#[from] DatabaseError),
    /// The database's blocks do not follow one another.
    #[error("the database: {0}")]
    Chain(#[from] BrokenChain),
    /// The database holds no usable description of its chain.
    #[error("the database's description of its chain cannot be read: {0}")]
    Config(String),
    /// A setting makes no sense.
    #[error(transparent)]
    Settings(#[from] ConfigError),
    /// A defect: something that cannot happen did.
    #[error("internal error: {0}")]
    Internal(&'static str),
}

impl From<ExecutionError<StoreRefError<DatabaseError>>> for ImportError {
    fn from(error: ExecutionError<StoreRefError<DatabaseError>>) -> Self {
        Self::Execution(Box::new(error))
    }
}

impl From<ExecutionMismatch> for ImportError {
    fn from(error: ExecutionMismatch) -> Self {
        Self::Mismatch(Box::new(error))
    }
}

impl ImportError {
    /// Whether a block is to blame. Otherwise the input cannot be read or something failed, which says nothing about
    /// any block.
    pub fn is_invalid_block(&self) -> bool {
        match self {
            Self::Block { error, .. } => !error.is_unknown_fork(),
            Self::NotOfGenesis { .. } | Self::OtherGenesis { .. } => true,
            Self::Gap { .. } | Self::Fork { .. } => true,
            Self::Sender(_) | Self::Mismatch(_) => true,
            Self::Execution(error) => {
                matches!(**error, ExecutionError::Transaction { .. } | ExecutionError::Block { .. })
            }
            _ => false,
        }
    }
}
