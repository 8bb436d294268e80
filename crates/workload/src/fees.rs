use crate::load::call::Call;
use crate::rng::SplitMix64;
use alloy_consensus::{TxEip1559, TxEip7702, TxLegacy, TypedTransaction};
use alloy_eips::eip7702::SignedAuthorization;
use alloy_primitives::TxKind;

/// The chain id of every transaction: mainnet's.
pub const CHAIN_ID: u64 = 1;

const GWEI: u64 = 1_000_000_000;

/// The base fee of the genesis block, in wei per gas.
pub(crate) const FIRST_BASE_FEE: u64 = GWEI;

/// The most that a transaction may come to pay, in wei per gas. The base fee would have to rise a hundredfold for that,
/// and gas limits are chosen so that it falls.
pub(crate) const MAX_FEE: u64 = 100 * GWEI;

/// The most that a transaction pays above the base fee as priority fee, in wei per gas.
const MAX_PRIORITY_FEE: u64 = 2 * GWEI;

/// How many transactions in a hundred have no type (from before EIP-2718).
const LEGACY_PERCENT: u64 = 10;

/// The transaction of a call in a block with this base fee. It offers at most twice the base fee and the
/// priority fee, as wallets have it.
///
/// It has the type of EIP-7702 if it brings an authorization, else in most cases that of EIP-1559.
pub(crate) fn transaction(
    call: Call,
    nonce: u64,
    base_fee: u64,
    authorization: Option<SignedAuthorization>,
    rng: &mut SplitMix64,
) -> TypedTransaction {
    let Call { to, value, input, gas_limit, .. } = call;
    let (base_fee, priority_fee) = (u128::from(base_fee), u128::from(rng.below(MAX_PRIORITY_FEE)));
    if let Some(authorization) = authorization {
        return TypedTransaction::Eip7702(TxEip7702 {
            chain_id: CHAIN_ID,
            nonce,
            gas_limit,
            max_fee_per_gas: 2 * base_fee + priority_fee,
            max_priority_fee_per_gas: priority_fee,
            to,
            value,
            access_list: Default::default(),
            authorization_list: vec![authorization],
            input,
        });
    }
    let to = TxKind::Call(to);
    if rng.chance(LEGACY_PERCENT) {
        return TypedTransaction::Legacy(TxLegacy {
            chain_id: Some(CHAIN_ID),
            nonce,
            gas_price: base_fee + priority_fee,
            gas_limit,
            to,
            value,
            input,
        });
    }
    TypedTransaction::Eip1559(TxEip1559 {
        chain_id: CHAIN_ID,
        nonce,
        gas_limit,
        max_fee_per_gas: 2 * base_fee + priority_fee,
        max_priority_fee_per_gas: priority_fee,
        to,
        value,
        access_list: Default::default(),
        input,
    })
}
