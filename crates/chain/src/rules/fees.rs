use alloy_consensus::Header;
use alloy_eips::eip1559::INITIAL_BASE_FEE;
use alloy_eips::eip4844::DATA_GAS_PER_BLOB;
use alloy_eips::eip7840::BlobParams;
use alloy_hardforks::EthereumHardfork;
use tandem_evm::ChainSpec;

/// Blob gas that one blob uses (EIP-4844).
pub(crate) const GAS_PER_BLOB: u64 = DATA_GAS_PER_BLOB;

/// A block's gas limit is this many times its gas target (EIP-1559).
pub(super) const ELASTICITY: u64 = 2;

/// The base fee moves by at most this part of itself (EIP-1559).
const MAX_CHANGE_DENOMINATOR: u128 = 8;

/// The base fee (EIP-1559), in wei, of the block that follows `parent`; `None` before London.
///
/// Saturates at `u64::MAX`.
pub fn next_base_fee(chain: &ChainSpec, parent: &Header) -> Option<u64> {
    let is_london = |number, timestamp| chain.is_active(EthereumHardfork::London, number, timestamp);
    if !is_london(parent.number.saturating_add(1), parent.timestamp) {
        return None;
    }
    if !is_london(parent.number, parent.timestamp) {
        return Some(INITIAL_BASE_FEE);
    }
    let base_fee = u128::from(parent.base_fee_per_gas.unwrap_or(INITIAL_BASE_FEE));
    let target = u128::from((parent.gas_limit / ELASTICITY).max(1));
    let used = u128::from(parent.gas_used);
    // Below 2^128: both factors are below 2^64.
    let change = base_fee * used.abs_diff(target) / target / MAX_CHANGE_DENOMINATOR;
    let next = match used.cmp(&target) {
        std::cmp::Ordering::Equal => base_fee,
        std::cmp::Ordering::Greater => base_fee.saturating_add(change.max(1)),
        std::cmp::Ordering::Less => base_fee.saturating_sub(change),
    };
    Some(saturate(next))
}

/// The excess blob gas of the block that follows `parent` and has the blob parameters `params` (EIP-4844, EIP-7691), with
/// the reserve price of EIP-7918 where they have one.
///
/// A parent without blob fields counts as one without blobs. Saturates at `u64::MAX`.
pub fn next_excess_blob_gas(params: &BlobParams, parent: &Header) -> u64 {
    let excess = parent.excess_blob_gas.unwrap_or(0);
    let used = u128::from(parent.blob_gas_used.unwrap_or(0));
    let sum = u128::from(excess) + used;
    let target = u128::from(params.target_blob_count) * u128::from(GAS_PER_BLOB);
    if sum < target {
        return 0;
    }
    let reserve = u128::from(params.blob_base_cost) * u128::from(parent.base_fee_per_gas.unwrap_or(0));
    // Without a reserve price, do not compute the blob fee, a series that grows with the excess.
    if reserve > 0 && reserve > u128::from(GAS_PER_BLOB).saturating_mul(params.calc_blob_fee(excess)) {
        let max = u128::from(params.max_blob_count.max(1));
        let above = max.saturating_sub(u128::from(params.target_blob_count));
        return saturate(u128::from(excess) + used.saturating_mul(above) / max);
    }
    saturate(sum - target)
}

fn saturate(value: u128) -> u64 {
    u64::try_from(value).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_eips::eip1559::BaseFeeParams;

    fn parent(gas_limit: u64, gas_used: u64, base_fee: u64) -> Header {
        Header {
            number: 20_000_000,
            gas_limit,
            gas_used,
            base_fee_per_gas: Some(base_fee),
            ..Header::default()
        }
    }

    #[test]
    fn base_fee_follows_the_gas_used() {
        let chain = ChainSpec::known(1).unwrap();
        // (gas limit, gas used, base fee, next base fee)
        for (limit, used, fee, next) in [
            (20_000_000, 10_000_000, 1_000_000_000, 1_000_000_000),
            (20_000_000, 9_000_000, 1_000_000_000, 987_500_000),
            (20_000_000, 11_000_000, 1_000_000_000, 1_012_500_000),
            (20_000_000, 20_000_000, 1_000_000_000, 1_125_000_000),
            (20_000_000, 0, 1_000_000_000, 875_000_000),
            (20_000_000, 20_000_000, 7, 8),
            (20_000_000, 0, 7, 7),
            (20_000_000, 10_000_001, 0, 1),
            (20_000_000, 20_000_000, u64::MAX, u64::MAX),
        ] {
            assert_eq!(next_base_fee(&chain, &parent(limit, used, fee)), Some(next), "{limit} {used} {fee}");
        }
        for used in (0..=30_000_001).step_by(1_234_567) {
            let parent = parent(30_000_001, used, 987_654_321_987);
            let reference = parent.next_block_base_fee(BaseFeeParams::ethereum());
            assert_eq!(next_base_fee(&chain, &parent), reference);
        }
    }

    #[test]
    fn base_fee_begins_with_london() {
        let chain = ChainSpec::known(1).unwrap();
        let at = |number| Header { number, gas_limit: 10_000_000, ..Header::default() };
        assert_eq!(next_base_fee(&chain, &at(12_964_998)), None);
        assert_eq!(next_base_fee(&chain, &at(12_964_999)), Some(1_000_000_000));
    }

    fn with_blobs(excess: u64, blobs: u64, base_fee: u64) -> Header {
        Header {
            excess_blob_gas: Some(excess),
            blob_gas_used: Some(blobs * GAS_PER_BLOB),
            base_fee_per_gas: Some(base_fee),
            ..Header::default()
        }
    }

    #[test]
    fn excess_blob_gas_is_what_exceeds_the_target() {
        let cancun = BlobParams::cancun();
        let target = 3 * GAS_PER_BLOB;
        // (excess, blobs, next excess)
        for (excess, blobs, next) in [
            (0, 0, 0),
            (0, 3, 0),
            (0, 4, GAS_PER_BLOB),
            (1, 3, 1),
            (target, 0, 0),
            (target - 1, 0, 0),
            (target + 1, 0, 1),
            (10 * target, 6, 11 * target),
            (u64::MAX, 6, u64::MAX),
        ] {
            assert_eq!(
                next_excess_blob_gas(&cancun, &with_blobs(excess, blobs, 1 << 60)),
                next,
                "{excess} {blobs}"
            );
        }
        assert_eq!(next_excess_blob_gas(&BlobParams::prague(), &with_blobs(0, 7, 1)), GAS_PER_BLOB);
        assert_eq!(next_excess_blob_gas(&cancun, &Header::default()), 0);
    }

    /// EIP-7918: 8192 * base fee > 131072 * blob fee, that is, the base fee exceeds 16 times the blob fee.
    #[test]
    fn excess_blob_gas_does_not_fall_below_the_reserve_price() {
        let osaka = BlobParams::osaka();
        let excess = 20 * GAS_PER_BLOB;
        assert_eq!(osaka.calc_blob_fee(excess), 1);
        // At 16 the two prices are equal, so that the target is subtracted.
        assert_eq!(next_excess_blob_gas(&osaka, &with_blobs(excess, 6, 16)), excess);
        assert_eq!(next_excess_blob_gas(&osaka, &with_blobs(excess, 6, 17)), excess + 6 * GAS_PER_BLOB / 3);
        assert_eq!(next_excess_blob_gas(&osaka, &with_blobs(excess, 0, 17)), excess);
        assert_eq!(next_excess_blob_gas(&osaka, &with_blobs(0, 5, 17)), 0);
        for (excess, blobs, base_fee) in
            [(0, 9, 1), (1 << 27, 9, 1 << 40), (1 << 28, 2, 1 << 30), (1 << 26, 0, 5)]
        {
            let parent = with_blobs(excess, blobs, base_fee);
            for params in [BlobParams::cancun(), BlobParams::osaka(), BlobParams::bpo2()] {
                assert_eq!(
                    Some(next_excess_blob_gas(&params, &parent)),
                    parent.next_block_excess_blob_gas(params)
                );
            }
        }
    }
}
