use crate::{
    WorkloadError,
    accounts::Signer,
    chain::BENEFICIARY,
    contracts::{Artifact, EXCHANGE, TOKEN_A, TOKEN_B, address_word, mapping_slot},
};
use alloy_eips::{
    eip2935::{HISTORY_STORAGE_ADDRESS, HISTORY_STORAGE_CODE},
    eip4788::{BEACON_ROOTS_ADDRESS, BEACON_ROOTS_CODE},
    eip7002::{WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS, WITHDRAWAL_REQUEST_PREDEPLOY_CODE},
    eip7251::{CONSOLIDATION_REQUEST_PREDEPLOY_ADDRESS, CONSOLIDATION_REQUEST_PREDEPLOY_CODE},
};
use alloy_primitives::{Address, Bytes, U256};
use tandem_state::{Account, MemoryStore};

/// 10^18: wei in an ether, and units in a token of 18 decimals.
pub(crate) const UNIT: u128 = 1_000_000_000_000_000_000;

/// What each signer holds, in wei.
pub(crate) const ETHER_EACH: u128 = 1_000_000 * UNIT;

/// What each signer holds of each token, in its units.
pub(crate) const TOKENS_EACH: u128 = 100_000_000 * UNIT;

/// What the exchange holds of each token, in its units.
pub(crate) const RESERVE: u128 = 1_000_000_000 * UNIT;

/// The state before the first block: funded signers that let the exchange draw on their tokens, the tokens and the
/// exchange, and the four system contracts.
pub(crate) fn genesis(signers: &[Signer]) -> Result<MemoryStore, WorkloadError> {
    let mut state = MemoryStore::new();
    for (address, code) in [
        (BEACON_ROOTS_ADDRESS, &BEACON_ROOTS_CODE),
        (HISTORY_STORAGE_ADDRESS, &HISTORY_STORAGE_CODE),
        (WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS, &WITHDRAWAL_REQUEST_PREDEPLOY_CODE),
        (CONSOLIDATION_REQUEST_PREDEPLOY_ADDRESS, &CONSOLIDATION_REQUEST_PREDEPLOY_CODE),
    ] {
        deploy(&mut state, address, code);
    }
    fund(&mut state, BENEFICIARY, UNIT);
    for signer in signers {
        fund(&mut state, signer.address(), ETHER_EACH);
    }
    let token = Artifact::token()?;
    place_token(&mut state, &token, TOKEN_A, signers)?;
    place_token(&mut state, &token, TOKEN_B, signers)?;
    place_exchange(&mut state, &Artifact::exchange()?)?;
    Ok(state)
}

fn fund(state: &mut MemoryStore, address: Address, balance: u128) {
    state.set_account(address, Account { balance: U256::from(balance), ..Account::default() });
}

/// Places a contract with nonce 1, as EIP-161 has every contract created.
fn deploy(state: &mut MemoryStore, address: Address, code: &Bytes) {
    let code_hash = state.add_code(code.clone());
    state.set_account(address, Account { balance: U256::ZERO, nonce: 1, code_hash });
}

fn place_token(
    state: &mut MemoryStore,
    token: &Artifact,
    address: Address,
    signers: &[Signer],
) -> Result<(), WorkloadError> {
    deploy(state, address, token.code());
    let (balances, allowances) = (token.slot("balanceOf")?, token.slot("allowance")?);
    for signer in signers {
        state.set_storage(address, mapping_slot(balances, signer.address()), U256::from(TOKENS_EACH));
        let allowed = mapping_slot(mapping_slot(allowances, signer.address()), EXCHANGE);
        state.set_storage(address, allowed, U256::MAX);
    }
    state.set_storage(address, mapping_slot(balances, EXCHANGE), U256::from(RESERVE));
    let supply = U256::from(TOKENS_EACH) * U256::from(signers.len()) + U256::from(RESERVE);
    state.set_storage(address, token.slot("totalSupply")?, supply);
    Ok(())
}

fn place_exchange(state: &mut MemoryStore, exchange: &Artifact) -> Result<(), WorkloadError> {
    deploy(state, EXCHANGE, exchange.code());
    for (variable, value) in [
        ("token0", address_word(TOKEN_A)),
        ("token1", address_word(TOKEN_B)),
        ("reserve0", U256::from(RESERVE)),
        ("reserve1", U256::from(RESERVE)),
    ] {
        state.set_storage(EXCHANGE, exchange.slot(variable)?, value);
    }
    Ok(())
}
