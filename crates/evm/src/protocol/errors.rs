use crate::error::{BlockId, ExecutionError, InvalidBlock};
use crate::state::{Fault, StoreError};
use revm::context::result::{EVMError, InvalidTransaction};

/// What can go wrong inside the EVM.
pub type EvmError = EVMError<StoreError, InvalidTransaction>;

/// Why a block's first or last step failed.
#[derive(Debug)]
pub enum SystemError {
    /// The block breaks a rule.
    Invalid(InvalidBlock),
    /// The EVM failed.
    Evm(EvmError),
}

impl From<InvalidBlock> for SystemError {
    fn from(error: InvalidBlock) -> Self {
        Self::Invalid(error)
    }
}

impl From<EvmError> for SystemError {
    fn from(error: EvmError) -> Self {
        Self::Evm(error)
    }
}

impl From<StoreError> for SystemError {
    fn from(error: StoreError) -> Self {
        Self::Evm(EvmError::Database(error))
    }
}

impl SystemError {
    /// The error by consequence.
    pub(crate) fn in_block(self, block: BlockId) -> ExecutionError<Fault> {
        match self {
            Self::Invalid(error) => ExecutionError::Block { block, error },
            Self::Evm(EvmError::Database(error)) => error.in_block(block),
            Self::Evm(other) => ExecutionError::Internal(format!("block {block}: {other}")),
        }
    }
}
