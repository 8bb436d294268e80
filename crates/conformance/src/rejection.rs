use alloy_primitives::B256;
use tandem_chain::{BlockError, DecodeError, ExecutionFault};
use tandem_evm::revm::context::result::InvalidTransaction;
use tandem_evm::{InvalidBlock, SenderError};
use thiserror::Error;

/// Why a transaction or a block was refused.
#[derive(Clone, Debug, Error)]
pub(crate) enum Rejection {
    /// The bytes are not those of a transaction, or its fields cannot be.
    #[error("the transaction is malformed: {0}")]
    Malformed(String),
    /// The transaction cannot be executed where it stands.
    #[error("the transaction is invalid: {0}")]
    Transaction(InvalidTransaction),
    /// The bytes are not those of a block.
    #[error("the block cannot be decoded: {0}")]
    Undecodable(DecodeError),
    /// The block's parent is unknown.
    #[error("the parent {0} is unknown")]
    UnknownParent(B256),
    /// The block breaks a rule that can be checked before it is executed.
    #[error("the block is invalid: {0}")]
    Unfit(Box<BlockError>),
    /// A signature recovers to no sender.
    #[error("the block is invalid: {0}")]
    Sender(SenderError),
    /// The block breaks a rule that execution checks.
    #[error("the block is invalid: {0}")]
    Block(InvalidBlock),
    /// The header does not state what execution gives.
    #[error("the block is invalid: {0}")]
    Execution(ExecutionFault),
}
