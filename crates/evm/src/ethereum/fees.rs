use super::chain_spec::ChainSpec;
use crate::protocol::Charge;
use alloy_primitives::{Address, U256};
use revm::context::Transaction;
use revm::primitives::hardfork::SpecId;

/// Who gets what of a transaction's fee, in wei: the beneficiary, all but the base fee, which is burnt (EIP-1559).
pub(super) fn reward(charge: &Charge<'_, ChainSpec>) -> (Address, U256) {
    let base_fee = u128::from(charge.block.basefee);
    let mut price = charge.tx.effective_gas_price(base_fee);
    if charge.spec.is_enabled_in(SpecId::LONDON) {
        price = price.saturating_sub(base_fee);
    }
    (charge.block.beneficiary, U256::from(price) * U256::from(charge.gas_used))
}
