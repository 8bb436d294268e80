//! The state that blocks are executed on, read without knowing what holds it: the engine is compiled once, not for each kind of store.

use crate::error::{BlockId, ExecutionError};
use alloy_primitives::{Address, B256, KECCAK256_EMPTY, U256};
use revm::bytecode::Bytecode;
use revm::database_interface::{DBErrorMarker, DatabaseRef};
use revm::state::AccountInfo;
use std::error::Error;
use std::fmt;

/// What a store said when it failed, whatever its type.
pub type Fault = Box<dyn Error + Send + Sync>;

/// Why the state could not be read.
#[derive(Debug)]
pub enum StoreError {
    /// The store failed.
    Store(Fault),
    /// The store names a code with this hash that it does not have.
    NoCode(B256),
    /// A slot was read behind revm's journal, which may hold a newer value of it.
    BehindJournal,
}

impl StoreError {
    pub(crate) fn in_block(self, block: BlockId) -> ExecutionError<Fault> {
        match self {
            Self::Store(error) => ExecutionError::Fault { block, error },
            Self::NoCode(code_hash) => ExecutionError::NoCode { block, code_hash },
            Self::BehindJournal => ExecutionError::Internal(format!("block {block}: {self}")),
        }
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Store(error) => error.fmt(f),
            Self::NoCode(code_hash) => write!(f, "the store does not have the code with hash {code_hash}"),
            Self::BehindJournal => f.write_str("a slot was read behind the journal"),
        }
    }
}

impl Error for StoreError {}
impl DBErrorMarker for StoreError {}

impl ExecutionError<Fault> {
    /// The error with the type of the store's own errors, all of which came from such a store.
    pub(crate) fn of_store<E: Error + 'static>(self) -> ExecutionError<E> {
        match self {
            Self::Fault { block, error } => match error.downcast() {
                Ok(error) => ExecutionError::Fault { block, error: *error },
                Err(error) => {
                    ExecutionError::Internal(format!("block {block}: not an error of its store: {error}"))
                }
            },
            Self::Transaction { block, index, hash, error } => {
                ExecutionError::Transaction { block, index, hash, error }
            }
            Self::Block { block, error } => ExecutionError::Block { block, error },
            Self::Fork { block, error } => ExecutionError::Fork { block, error },
            Self::Order { block, previous } => ExecutionError::Order { block, previous },
            Self::NoCode { block, code_hash } => ExecutionError::NoCode { block, code_hash },
            Self::Internal(message) => ExecutionError::Internal(message),
        }
    }
}

/// A store of any type.
pub(crate) trait BaseState {
    /// An account's fields. Its code may come with them.
    fn account(&self, address: Address) -> Result<Option<AccountInfo>, StoreError>;
    /// A code that an account of the store names.
    fn code(&self, code_hash: B256) -> Result<Bytecode, StoreError>;
    fn slot(&self, address: Address, slot: U256) -> Result<U256, StoreError>;
    fn block_hash(&self, number: u64) -> Result<B256, StoreError>;
}

fn failed<E: DBErrorMarker>(error: E) -> StoreError {
    StoreError::Store(Box::new(error))
}

impl<S: DatabaseRef> BaseState for S {
    fn account(&self, address: Address) -> Result<Option<AccountInfo>, StoreError> {
        self.basic_ref(address).map_err(failed)
    }

    fn code(&self, code_hash: B256) -> Result<Bytecode, StoreError> {
        let code = self.code_by_hash_ref(code_hash).map_err(failed)?;
        // revm's own stores have an empty code for every hash that they do not know.
        if code.is_empty() && code_hash != KECCAK256_EMPTY {
            Err(StoreError::NoCode(code_hash))
        } else {
            Ok(code)
        }
    }

    fn slot(&self, address: Address, slot: U256) -> Result<U256, StoreError> {
        self.storage_ref(address, slot).map_err(failed)
    }

    fn block_hash(&self, number: u64) -> Result<B256, StoreError> {
        self.block_hash_ref(number).map_err(failed)
    }
}

/// A store that workers share.
pub(crate) type Base<'s> = dyn BaseState + Sync + 's;

impl fmt::Debug for Base<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BaseState")
    }
}
