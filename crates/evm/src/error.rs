use crate::block::BlockId;
use alloy_primitives::B256;
use revm::context::result::InvalidTransaction;
use thiserror::Error;

/// Why a block could not be executed, by consequence: the first two condemn the block, the others do not judge it.
#[derive(Clone, Debug, Error)]
pub enum ExecutionError<E> {
    /// A transaction cannot be executed where it stands; the block that holds it is invalid.
    #[error("block {block}: transaction {index} ({hash}) is invalid: {error}")]
    Transaction {
        /// The block.
        block: BlockId,
        /// The transaction's index in the block.
        index: usize,
        /// The transaction's hash.
        hash: B256,
        /// What is wrong with it.
        error: InvalidTransaction,
    },
    /// The block breaks a rule of its own.
    #[error("block {block} is invalid: {error}")]
    Block {
        /// The block.
        block: BlockId,
        /// The broken rule.
        error: InvalidBlock,
    },
    /// The store failed.
    #[error("block {block}: reading the state failed: {error}")]
    Fault {
        /// The block whose execution met the failure.
        block: BlockId,
        /// What the store said.
        error: E,
    },
    /// The store names a code that it does not have. Whatever [`DatabaseRef::basic_ref`](revm::DatabaseRef::basic_ref) names must come
    /// with the account, or be known to `code_by_hash_ref`.
    #[error("block {block}: the store names a code with hash {code_hash} and does not have it")]
    NoCode {
        /// The block whose execution needs the code.
        block: BlockId,
        /// The code's hash.
        code_hash: B256,
    },
    /// A defect: something that cannot happen did.
    #[error("internal error: {0}")]
    Internal(String),
}

/// A rule about a whole block that does not hold.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum InvalidBlock {
    /// A transaction asks for more gas than the block has left.
    #[error("transaction {index} asks for {wanted} gas, but only {available} of the block's limit is left")]
    GasLimit {
        /// The transaction's index in the block.
        index: usize,
        /// Its gas limit.
        wanted: u64,
        /// The block's gas limit less what was used before.
        available: u64,
    },
    /// A contract that the fork requires has no code (EIP-7002, EIP-7251).
    #[error("the system contract {0} has no code")]
    NoSystemContract(alloy_primitives::Address),
    /// A system contract failed that must not (EIP-7002, EIP-7251).
    #[error("the call of the system contract {0} failed")]
    SystemCall(alloy_primitives::Address),
    /// The deposit contract logged something that is no deposit (EIP-6110).
    #[error("a log of the deposit contract is no deposit: {0}")]
    Deposit(String),
}
