use super::Protocol;
use crate::error::{BlockId, ExecutionError, InvalidBlock};
use crate::state::{Fault, StoreError};
use alloy_primitives::{Address, Bytes, U256};
use revm::context::result::{EVMError, ExecutionResult, InvalidTransaction};

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

/// What may happen to the state before a block's first and after its last transaction. The engine and the serial loop have one each, so
/// that a chain states its rules once.
///
/// # Errors
///
/// Each method fails if the store does.
pub trait Host<P: Protocol> {
    /// Executes `tx` as a system call: nobody signs it or pays for it, and no nonce changes.
    fn call(&mut self, tx: P::Tx) -> Result<ExecutionResult, SystemError>;

    /// Whether an account has code now.
    fn has_code(&mut self, address: Address) -> Result<bool, SystemError>;

    /// An account's nonce now.
    fn nonce(&mut self, address: Address) -> Result<u64, SystemError>;

    /// Gives an account other code. Empty takes it away.
    fn set_code(&mut self, address: Address, code: Bytes) -> Result<(), SystemError>;

    /// Adds wei to a balance, without reading it. Touches the account, even with none.
    fn credit(&mut self, address: Address, amount: U256) -> Result<(), SystemError>;

    /// Takes all wei from a balance.
    fn drain(&mut self, address: Address) -> Result<U256, SystemError>;
}
