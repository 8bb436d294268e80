use alloy_primitives::B256;
use revm::context::result::InvalidTransaction;
use thiserror::Error;

/// Names a block in messages: by number, and by chain where there are several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockId {
    /// The chain's id.
    pub chain_id: u64,
    /// The block's number.
    pub number: u64,
}

impl std::fmt::Display for BlockId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}", self.chain_id, self.number)
    }
}

/// Why a block is not executed at all.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum Refusal {
    /// Its rules cannot be told.
    #[error(transparent)]
    Fork(#[from] ForkError),
    /// It lacks what its rules demand.
    #[error(transparent)]
    Invalid(#[from] InvalidBlock),
}

/// Why a transaction was left out of a block.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum Skipped {
    /// It cannot be executed where it stands.
    #[error(transparent)]
    Invalid(#[from] InvalidTransaction),
    /// The block has no room for it.
    #[error(transparent)]
    NoRoom(#[from] InvalidBlock),
}

/// Why the rules of a block cannot be told. It says nothing about the block's validity.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum ForkError {
    /// The block is of a fork whose rules this version does not have.
    #[error("fork {fork} is not supported; blocks before it are")]
    Unsupported {
        /// The fork.
        fork: &'static str,
    },
    /// The chain has a fork begin at a kind of point at which it cannot.
    #[error("fork {fork} begins at {found}, but can only begin at {expected}")]
    Activation {
        /// The fork.
        fork: &'static str,
        /// The kind of point that the chain states.
        found: &'static str,
        /// The kind that the fork has.
        expected: &'static str,
    },
    /// The chain states no parameters of blobs (EIP-7840).
    #[error("fork {fork} needs parameters of blobs, which the chain does not state")]
    NoBlobParams {
        /// The fork.
        fork: &'static str,
    },
}

impl ForkError {
    /// The name of the fork.
    pub fn fork(&self) -> &'static str {
        match self {
            Self::Unsupported { fork } | Self::Activation { fork, .. } | Self::NoBlobParams { fork } => fork,
        }
    }
}

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
    /// The block's rules cannot be told, so that it is not executed at all.
    #[error("block {block}: {error}")]
    Fork {
        /// The block.
        block: BlockId,
        /// What is not known of its rules.
        error: ForkError,
    },
    /// The block does not follow the one that the stream has before it in the same world, so that it is not executed.
    #[error(
        "block {block} comes after block {previous}, which it does not follow: give the blocks of one state in order, \
         or blocks of another state a world of their own"
    )]
    Order {
        /// The block.
        block: BlockId,
        /// The block before it.
        previous: BlockId,
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
    /// The header lacks a field that execution needs (EIP-4844).
    #[error("field {field} is absent, which fork {fork} demands")]
    MissingField {
        /// The field, named as in the JSON of Ethereum's RPC.
        field: &'static str,
        /// The block's fork.
        fork: &'static str,
    },
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
    /// A rule of a chain of its own.
    #[error("{0}")]
    Other(String),
}
