use super::difficulty::next_difficulty;
use super::fault::{ExtraDataRule, HeaderError, HeaderFault};
use super::fees::{ELASTICITY, GAS_PER_BLOB};
use super::fees::{next_base_fee, next_excess_blob_gas};
use alloy_consensus::{EMPTY_OMMER_ROOT_HASH, Header};
use alloy_hardforks::EthereumHardfork;
use alloy_primitives::{B64, Sealed, U256};
use tandem_evm::ChainSpec;

/// The most bytes of extra data (Yellow Paper, 4.4.4).
const MAX_EXTRA_DATA: usize = 32;

/// The extra data of the first blocks of the DAO fork, and how many blocks that are.
const DAO_EXTRA_DATA: &[u8] = b"dao-hard-fork";
const DAO_EXTRA_DATA_BLOCKS: u64 = 10;

/// The least gas limit (Yellow Paper, 4.4.4).
const MIN_GAS_LIMIT: u64 = 5_000;

/// The most gas limit: clients hold it in 63 bits (EIP-1985).
const MAX_GAS_LIMIT: u64 = i64::MAX as u64;

/// From block to block the gas limit changes by less than this part of itself (Yellow Paper, 4.4.4).
const GAS_LIMIT_DIVISOR: u64 = 1_024;

/// Checks a header against its parent and the chain's forks.
///
/// `parent_total_difficulty` is the sum of the difficulties of all blocks up to and including the parent. It tells where
/// proof of work ends on a chain whose merge block is not known. Without it, the merge is where the chain has it at the
/// latest, or earlier if a header claims so by a difficulty of zero; whether it may come that early is then unchecked.
///
/// Not checked: the seal (Ethash: `mixHash` and `nonce` before the merge), and what takes the body or execution to check:
/// see [`validate_body`](super::validate_body) and [`validate_execution`](super::validate_execution).
///
/// # Errors
///
/// For the first field that does not fit.
pub fn validate_header(
    chain: &ChainSpec,
    parent: &Sealed<Header>,
    parent_total_difficulty: Option<U256>,
    header: &Header,
) -> Result<(), HeaderError> {
    let consensus = Consensus::of(chain, parent, parent_total_difficulty)
        .unwrap_or(if header.difficulty.is_zero() { Consensus::Stake } else { Consensus::Work });
    check(chain, parent, consensus, header).map_err(|fault| HeaderError {
        number: header.number,
        hash: header.hash_slow(),
        fault,
    })
}

/// The kind of a block's seal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Consensus {
    Work,
    Stake,
}

impl Consensus {
    /// The kind of seal of the block that follows `parent` (EIP-3675); `None` where only the block itself can tell.
    pub(crate) fn of(
        chain: &ChainSpec,
        parent: &Header,
        parent_total_difficulty: Option<U256>,
    ) -> Option<Self> {
        let number = parent.number.saturating_add(1);
        let stake = |is_stake| Some(if is_stake { Self::Stake } else { Self::Work });
        if let Some(merge) = chain.merge_block() {
            return stake(number >= merge);
        }
        let Some(terminal) = chain.terminal_total_difficulty() else { return stake(false) };
        let is_late = chain.is_active(EthereumHardfork::Paris, number, parent.timestamp);
        let is_child_of_stake = parent.number > 0 && parent.difficulty.is_zero();
        if is_late || is_child_of_stake {
            return stake(true);
        }
        parent_total_difficulty.and_then(|total| stake(total >= terminal))
    }
}

/// The least and the most gas limit of the block that follows `parent`.
pub(crate) fn gas_limit_bounds(chain: &ChainSpec, parent: &Header) -> (u64, u64) {
    let is_london = |number| chain.is_active(EthereumHardfork::London, number, parent.timestamp);
    let is_first_of_london = is_london(parent.number.saturating_add(1)) && !is_london(parent.number);
    let limit =
        if is_first_of_london { parent.gas_limit.saturating_mul(ELASTICITY) } else { parent.gas_limit };
    let change = (limit / GAS_LIMIT_DIVISOR).saturating_sub(1);
    (limit.saturating_sub(change).max(MIN_GAS_LIMIT), limit.saturating_add(change).min(MAX_GAS_LIMIT))
}

/// Checks a header that is sealed as `consensus` says.
pub(super) fn check(
    chain: &ChainSpec,
    parent: &Sealed<Header>,
    consensus: Consensus,
    header: &Header,
) -> Result<(), HeaderFault> {
    check_position(chain, parent, header)?;
    check_extra_data(chain, header)?;
    let (lowest, highest) = gas_limit_bounds(chain, parent);
    ensure((lowest..=highest).contains(&header.gas_limit), || HeaderFault::GasLimit {
        found: header.gas_limit,
        lowest,
        highest,
    })?;
    ensure(header.gas_used <= header.gas_limit, || HeaderFault::GasUsed {
        found: header.gas_used,
        limit: header.gas_limit,
    })?;
    check_consensus(chain, parent, consensus, header)?;
    let base_fee = next_base_fee(chain, parent);
    ensure(header.base_fee_per_gas == base_fee, || HeaderFault::BaseFee {
        found: header.base_fee_per_gas,
        expected: base_fee,
    })?;
    check_blobs(chain, parent, header)?;
    check_presence(chain, header)
}

fn check_position(chain: &ChainSpec, parent: &Sealed<Header>, header: &Header) -> Result<(), HeaderFault> {
    ensure(header.parent_hash == parent.hash(), || HeaderFault::ParentHash {
        found: header.parent_hash,
        expected: parent.hash(),
    })?;
    // No number follows the last one.
    let number = parent.number.checked_add(1);
    ensure(Some(header.number) == number, || HeaderFault::Number {
        found: header.number,
        expected: number.unwrap_or(u64::MAX),
    })?;
    ensure(header.timestamp > parent.timestamp, || HeaderFault::Timestamp {
        found: header.timestamp,
        parent: parent.timestamp,
    })?;
    chain
        .fork(header.number, header.timestamp)
        .map(|_| ())
        .map_err(|error| HeaderFault::Fork { found: header.timestamp, error })
}

fn check_extra_data(chain: &ChainSpec, header: &Header) -> Result<(), HeaderFault> {
    let wrong = |expected| HeaderFault::ExtraData { found: header.extra_data.clone(), expected };
    ensure(header.extra_data.len() <= MAX_EXTRA_DATA, || wrong(ExtraDataRule::Short))?;
    let Some((fork, followed)) = chain.dao_fork() else { return Ok(()) };
    if !(fork..fork.saturating_add(DAO_EXTRA_DATA_BLOCKS)).contains(&header.number) {
        return Ok(());
    }
    let is_marked = *header.extra_data == *DAO_EXTRA_DATA;
    ensure(is_marked == followed, || {
        wrong(if followed { ExtraDataRule::DaoFork } else { ExtraDataRule::NotDaoFork })
    })
}

fn check_consensus(
    chain: &ChainSpec,
    parent: &Header,
    consensus: Consensus,
    header: &Header,
) -> Result<(), HeaderFault> {
    let expected = match consensus {
        Consensus::Work => next_difficulty(chain, parent, header.timestamp),
        Consensus::Stake => U256::ZERO,
    };
    let found = header.difficulty;
    ensure(found == expected, || HeaderFault::Difficulty { found, expected })?;
    if consensus == Consensus::Work {
        return Ok(());
    }
    ensure(header.nonce == B64::ZERO, || HeaderFault::Nonce { found: header.nonce })?;
    ensure(header.ommers_hash_is_empty(), || HeaderFault::OmmersHash {
        found: header.ommers_hash,
        expected: EMPTY_OMMER_ROOT_HASH,
    })
}

fn check_blobs(chain: &ChainSpec, parent: &Header, header: &Header) -> Result<(), HeaderFault> {
    let params = chain.blob_params(header.timestamp);
    let highest = params.map(|params| params.max_blob_count.saturating_mul(GAS_PER_BLOB));
    let found = header.blob_gas_used;
    let fits = match (found, highest) {
        (Some(used), Some(highest)) => used % GAS_PER_BLOB == 0 && used <= highest,
        (found, highest) => found.is_none() && highest.is_none(),
    };
    ensure(fits, || HeaderFault::BlobGasUsed { found, highest })?;
    let found = header.excess_blob_gas;
    let expected = params.map(|params| next_excess_blob_gas(&params, parent));
    ensure(found == expected, || HeaderFault::ExcessBlobGas { found, expected })
}

fn check_presence(chain: &ChainSpec, header: &Header) -> Result<(), HeaderFault> {
    let is_active = |fork| chain.is_active(fork, header.number, header.timestamp);
    let (found, required) = (header.withdrawals_root, is_active(EthereumHardfork::Shanghai));
    ensure(found.is_some() == required, || HeaderFault::WithdrawalsRoot { found, required })?;
    let (found, required) = (header.parent_beacon_block_root, is_active(EthereumHardfork::Cancun));
    ensure(found.is_some() == required, || HeaderFault::ParentBeaconBlockRoot { found, required })?;
    let (found, required) = (header.requests_hash, is_active(EthereumHardfork::Prague));
    ensure(found.is_some() == required, || HeaderFault::RequestsHash { found, required })?;
    if let Some(found) = header.block_access_list_hash {
        return Err(HeaderFault::BlockAccessListHash { found });
    }
    header.slot_number.map_or(Ok(()), |found| Err(HeaderFault::SlotNumber { found }))
}

/// The first field that executing a block takes and that its header lacks, named as in the JSON of Ethereum's RPC.
pub fn missing_field(chain: &ChainSpec, header: &Header) -> Option<&'static str> {
    [
        ("baseFeePerGas", EthereumHardfork::London, header.base_fee_per_gas.is_some()),
        ("excessBlobGas", EthereumHardfork::Cancun, header.excess_blob_gas.is_some()),
        ("parentBeaconBlockRoot", EthereumHardfork::Cancun, header.parent_beacon_block_root.is_some()),
    ]
    .into_iter()
    .find(|(_, fork, is_there)| !is_there && chain.is_active(*fork, header.number, header.timestamp))
    .map(|(field, ..)| field)
}

fn ensure<F>(holds: bool, fault: impl FnOnce() -> F) -> Result<(), F> {
    if holds { Ok(()) } else { Err(fault()) }
}
