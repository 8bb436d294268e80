use crate::codec::SealedBlock;
use crate::rules::{
    BodyError, Consensus, ExecutionFields, HeaderError, blob_gas, gas_limit_bounds, next_base_fee,
    next_difficulty, next_excess_blob_gas, validate_contents, validate_header,
};
use alloy_consensus::proofs::{
    calculate_ommers_root, calculate_transaction_root, calculate_withdrawals_root,
};
use alloy_consensus::{Block, BlockBody, Header, TxEnvelope};
use alloy_eips::eip7685::EMPTY_REQUESTS_HASH;
use alloy_hardforks::EthereumHardfork;
use alloy_primitives::{Address, B256, Bytes, Sealed, U256};
use tandem_evm::ChainSpec;
use thiserror::Error;

/// The choices of a block's builder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BlockAttributes {
    /// Seconds since 1970; more than the parent's.
    pub timestamp: u64,
    /// The recipient of the fees.
    pub beneficiary: Address,
    /// The gas limit wished for. The block gets the nearest one that its parent allows.
    pub gas_limit: u64,
    /// At most 32 bytes.
    pub extra_data: Bytes,
    /// The beacon chain's randomness (EIP-4399); before the merge, part of the seal.
    pub prev_randao: B256,
    /// The parent's root on the beacon chain (EIP-4788); ignored before Cancun.
    pub parent_beacon_block_root: B256,
}

/// Why a block cannot be sealed.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum SealError {
    /// Execution's results lack a value that the header needs.
    #[error("field {0} cannot be filled: execution gave no value")]
    Missing(&'static str),
    /// A field of the header would break a rule: the attributes do not fit the parent.
    #[error(transparent)]
    Header(#[from] HeaderError),
    /// The body would break a rule.
    #[error(transparent)]
    Body(#[from] BodyError),
}

/// The header of the block that follows `parent`, with all that execution needs to know: base fee, excess blob gas,
/// difficulty, and the fields that the fork requires. Fields that depend on the body or on execution are those of an empty block.
///
/// `parent_total_difficulty` is used as in [`validate_header`]; where it is needed and absent, the block is one of
/// proof of work. The seal (`mixHash` and `nonce` before the merge) is not made.
pub fn next_header(
    chain: &ChainSpec,
    parent: &Sealed<Header>,
    parent_total_difficulty: Option<U256>,
    attributes: &BlockAttributes,
) -> Header {
    let number = parent.number.saturating_add(1);
    let timestamp = attributes.timestamp;
    let since = |fork| chain.is_active(fork, number, timestamp);
    let (lowest, highest) = gas_limit_bounds(chain, parent);
    let difficulty = match Consensus::of(chain, parent, parent_total_difficulty) {
        Some(Consensus::Stake) => U256::ZERO,
        _ => next_difficulty(chain, parent, timestamp),
    };
    let blob_params = chain.blob_params(timestamp);
    let empty = Header::default();
    Header {
        parent_hash: parent.hash(),
        beneficiary: attributes.beneficiary,
        difficulty,
        number,
        gas_limit: attributes.gas_limit.min(highest).max(lowest),
        timestamp,
        extra_data: attributes.extra_data.clone(),
        mix_hash: attributes.prev_randao,
        base_fee_per_gas: next_base_fee(chain, parent),
        withdrawals_root: since(EthereumHardfork::Shanghai).then_some(empty.transactions_root),
        blob_gas_used: blob_params.map(|_| 0),
        excess_blob_gas: blob_params.map(|params| next_excess_blob_gas(&params, parent)),
        parent_beacon_block_root: since(EthereumHardfork::Cancun)
            .then_some(attributes.parent_beacon_block_root),
        requests_hash: since(EthereumHardfork::Prague).then_some(EMPTY_REQUESTS_HASH),
        ..empty
    }
}

/// Makes a block of a header from [`next_header`], a body, and what executing the body gave.
///
/// From Shanghai on, a body without a list of withdrawals gets an empty one.
///
/// # Errors
///
/// If `executed` lacks the state root or the receipts root, or if the block would be invalid: the timestamp is not the
/// parent's successor, there are too many blobs, and so on. Ommers are not checked.
pub fn seal(
    chain: &ChainSpec,
    parent: &Sealed<Header>,
    parent_total_difficulty: Option<U256>,
    header: Header,
    mut body: BlockBody<TxEnvelope>,
    executed: &ExecutionFields,
) -> Result<SealedBlock, SealError> {
    if header.withdrawals_root.is_some() {
        body.withdrawals.get_or_insert_default();
    }
    let header = Header {
        ommers_hash: calculate_ommers_root(&body.ommers),
        state_root: executed.state_root.ok_or(SealError::Missing("stateRoot"))?,
        transactions_root: calculate_transaction_root(&body.transactions),
        receipts_root: executed.receipts_root.ok_or(SealError::Missing("receiptsRoot"))?,
        logs_bloom: executed.logs_bloom,
        gas_used: executed.gas_used,
        withdrawals_root: body
            .withdrawals
            .as_ref()
            .map(|withdrawals| calculate_withdrawals_root(withdrawals)),
        blob_gas_used: header.blob_gas_used.map(|_| blob_gas(&body.transactions)),
        requests_hash: executed.requests_hash,
        ..header
    };
    validate_header(chain, parent, parent_total_difficulty, &header)?;
    let block = Block { header, body };
    validate_contents(chain, &block)?;
    let hash = block.header.hash_slow();
    Ok(SealedBlock::new_unchecked(block, hash))
}
