use super::invalid::{Invalid, show};
use alloy_consensus::proofs::{
    calculate_ommers_root, calculate_transaction_root, calculate_withdrawals_root,
};
use alloy_consensus::{Block, Transaction, TxEip4844Variant, TxEnvelope};
use alloy_eips::Typed2718;
use alloy_hardforks::EthereumHardfork;
use alloy_primitives::B256;
use alloy_rlp::Encodable;
use tandem_evm::ChainSpec;
use thiserror::Error;

/// The most bytes of a block's RLP from Osaka on (EIP-7934): 10 MiB less a margin of 2 MiB.
const MAX_BLOCK_SIZE: usize = 8_388_608;

/// The fork that brings each type of transaction (EIP-2930, EIP-1559, EIP-4844, EIP-7702); type 0 was always there.
const TRANSACTION_TYPES: &[(u8, EthereumHardfork)] = &[
    (1, EthereumHardfork::Berlin),
    (2, EthereumHardfork::London),
    (3, EthereumHardfork::Cancun),
    (4, EthereumHardfork::Prague),
];

/// A block whose body breaks a rule, or does not belong to its header.
pub type BodyError = Invalid<BodyFault>;

/// A fault in a body. Fields are the header's, named as in the JSON of Ethereum's RPC.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum BodyFault {
    /// Not the root of the body's transactions.
    #[error("field transactionsRoot is {found}, expected {expected}, the root of the body's transactions")]
    TransactionsRoot {
        /// The header's value.
        found: B256,
        /// The root of the body's list.
        expected: B256,
    },
    /// Not the hash of the body's ommers.
    #[error("field sha3Uncles is {found}, expected {expected}, the hash of the body's ommers")]
    OmmersHash {
        /// The header's value.
        found: B256,
        /// The hash of the body's list.
        expected: B256,
    },
    /// Not the root of the body's withdrawals (EIP-4895).
    #[error(
        "field withdrawalsRoot is {}, expected {}, the root of the body's withdrawals",
        show(found),
        show(expected)
    )]
    WithdrawalsRoot {
        /// The header's value.
        found: Option<B256>,
        /// The root of the body's list, if it has one.
        expected: Option<B256>,
    },
    /// Not the blob gas of the body's transactions (EIP-4844).
    #[error("field blobGasUsed is {}, expected {expected}, that of the body's transactions", show(found))]
    BlobGasUsed {
        /// The header's value.
        found: Option<u64>,
        /// The sum over the transactions.
        expected: u64,
    },
    /// The block is too long (EIP-7934).
    #[error("its size is {found} bytes, expected at most {limit}")]
    Size {
        /// The length of the block's RLP.
        found: usize,
        /// The most that is allowed.
        limit: usize,
    },
    /// A type of transaction that the fork does not have yet.
    #[error("transaction {index} ({hash}) is of type {found}, which fork {fork} does not have")]
    TransactionType {
        /// The transaction's index in the block.
        index: usize,
        /// The transaction's hash.
        hash: B256,
        /// Its type (EIP-2718).
        found: u8,
        /// The block's fork.
        fork: &'static str,
    },
    /// A transaction brings its blobs along, which belongs to the network's messages, not to blocks (EIP-4844).
    #[error("transaction {index} ({hash}) carries its blobs, expected their hashes only")]
    Sidecar {
        /// The transaction's index in the block.
        index: usize,
        /// The transaction's hash.
        hash: B256,
    },
}

/// Checks that a body belongs to its header, and what can be told of it without executing it.
///
/// Whether single transactions may be executed is left to execution: their chain ids, signatures, gas limits (EIP-7825),
/// and numbers of blobs.
///
/// # Errors
///
/// For the first rule that does not hold.
pub fn validate_body(chain: &ChainSpec, block: &Block<TxEnvelope>) -> Result<(), BodyError> {
    check_roots(block).and_then(|()| check_contents(chain, block)).map_err(|fault| invalid(block, fault))
}

/// Checks a body whose roots are known to be those in the header.
pub(crate) fn validate_contents(chain: &ChainSpec, block: &Block<TxEnvelope>) -> Result<(), BodyError> {
    check_contents(chain, block).map_err(|fault| invalid(block, fault))
}

/// The blob gas that transactions use (EIP-4844).
pub(crate) fn blob_gas(transactions: &[TxEnvelope]) -> u64 {
    transactions.iter().filter_map(Transaction::blob_gas_used).fold(0, u64::saturating_add)
}

fn invalid(block: &Block<TxEnvelope>, fault: BodyFault) -> BodyError {
    BodyError { number: block.header.number, hash: block.header.hash_slow(), fault }
}

fn check_roots(block: &Block<TxEnvelope>) -> Result<(), BodyFault> {
    let Block { header, body } = block;
    let (found, expected) = (header.ommers_hash, calculate_ommers_root(&body.ommers));
    if found != expected {
        return Err(BodyFault::OmmersHash { found, expected });
    }
    let found = header.withdrawals_root;
    let expected = body.withdrawals.as_ref().map(|withdrawals| calculate_withdrawals_root(withdrawals));
    if found != expected {
        return Err(BodyFault::WithdrawalsRoot { found, expected });
    }
    let (found, expected) = (header.transactions_root, calculate_transaction_root(&body.transactions));
    if found != expected {
        return Err(BodyFault::TransactionsRoot { found, expected });
    }
    Ok(())
}

fn check_contents(chain: &ChainSpec, block: &Block<TxEnvelope>) -> Result<(), BodyFault> {
    let Block { header, body } = block;
    let is_active = |fork| chain.is_active(fork, header.number, header.timestamp);
    for (index, transaction) in body.transactions.iter().enumerate() {
        let found = transaction.ty();
        let fork = TRANSACTION_TYPES.iter().find(|(ty, _)| *ty == found);
        if fork.is_some_and(|(_, fork)| !is_active(*fork)) {
            let fork = chain.fork(header.number, header.timestamp);
            let fork = fork.unwrap_or_else(|error| error.fork());
            return Err(BodyFault::TransactionType { index, hash: *transaction.tx_hash(), found, fork });
        }
        if has_sidecar(transaction) {
            return Err(BodyFault::Sidecar { index, hash: *transaction.tx_hash() });
        }
    }
    let expected = blob_gas(&body.transactions);
    if is_active(EthereumHardfork::Cancun) && header.blob_gas_used != Some(expected) {
        return Err(BodyFault::BlobGasUsed { found: header.blob_gas_used, expected });
    }
    if is_active(EthereumHardfork::Osaka) {
        let found = block.length();
        if found > MAX_BLOCK_SIZE {
            return Err(BodyFault::Size { found, limit: MAX_BLOCK_SIZE });
        }
    }
    Ok(())
}

/// Whether a transaction brings its blobs along.
pub(crate) fn has_sidecar(transaction: &TxEnvelope) -> bool {
    matches!(
        transaction,
        TxEnvelope::Eip4844(signed) if matches!(signed.tx(), TxEip4844Variant::TxEip4844WithSidecar(_))
    )
}
