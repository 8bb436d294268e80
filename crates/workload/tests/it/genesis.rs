//! The genesis state is consistent, and its file says the same.
#![allow(clippy::unwrap_used)]

use crate::common::{chain, config};
use alloy_eips::{eip2935, eip4788, eip6110, eip7002, eip7251};
use alloy_primitives::{Address, B256, KECCAK256_EMPTY, U256, keccak256};
use serde_json::Value;
use std::collections::{HashMap, HashSet};
use tandem_state::{MemoryStore, Store};
use tandem_workload::{
    Workload,
    contracts::{Artifact, EXCHANGES, TOKENS, exchange, mapping_slot, token},
};

#[test]
fn every_account_and_slot_comes_once_and_is_counted() {
    for workload in Workload::ALL {
        let (genesis, _) = chain(&config(workload));
        let mut addresses = HashSet::new();
        let mut slots = 0;
        for account in genesis.accounts() {
            assert!(addresses.insert(account.address));
            let storage: HashMap<_, _> = account.storage().collect();
            assert_eq!(storage.len(), account.storage().count());
            assert!(storage.values().all(|value| !value.is_zero()));
            slots += storage.len();
        }
        assert_eq!((addresses.len(), slots), (genesis.account_count(), genesis.slot_count()), "{workload}");
    }
}

#[test]
fn token_balances_sum_up_to_the_supply() {
    let (genesis, _) = chain(&config(Workload::Mixed));
    let layout = Artifact::token().unwrap();
    let balances = layout.slot("balanceOf").unwrap();
    let store = genesis.store();
    let mut holders = 0;
    for token in (0..TOKENS).map(token) {
        let held: Vec<_> = genesis
            .accounts()
            .map(|account| store.storage(token, mapping_slot(balances, account.address)).unwrap())
            .filter(|amount| !amount.is_zero())
            .collect();
        holders += held.len();
        let supply = store.storage(token, layout.slot("totalSupply").unwrap()).unwrap();
        assert_eq!(held.into_iter().sum::<U256>(), supply);
    }
    // Every signer holds every token, two exchanges' worth of tokens are in each pair, the rest is the population's.
    assert_eq!(holders, TOKENS * 60 + 2 * EXCHANGES + 1_000);
}

#[test]
fn exchanges_hold_what_they_say() {
    let store = chain(&config(Workload::Swaps)).0.store();
    let (balances, artifact) =
        (Artifact::token().unwrap().slot("balanceOf").unwrap(), Artifact::exchange().unwrap());
    for index in 0..EXCHANGES {
        for (token, reserve) in [(token(2 * index), "reserve0"), (token(2 * index + 1), "reserve1")] {
            let reserve = store.storage(exchange(index), artifact.slot(reserve).unwrap()).unwrap();
            assert!(!reserve.is_zero());
            let held = store.storage(token, mapping_slot(balances, exchange(index))).unwrap();
            assert_eq!(held, reserve);
        }
    }
}

#[test]
fn senders_are_funded_accounts_without_code() {
    let (genesis, blocks) = chain(&config(Workload::Mixed));
    let store = genesis.store();
    for sender in blocks.iter().flat_map(|block| &block.senders) {
        let account = store.account(*sender).unwrap().unwrap();
        assert_eq!((account.nonce, account.code_hash), (0, KECCAK256_EMPTY));
        assert!(!account.balance.is_zero());
    }
}

#[test]
fn genesis_holds_the_system_contracts() {
    let store = chain(&config(Workload::Transfers)).0.store();
    let deposit = Artifact::deposit().unwrap();
    for (address, code) in [
        (eip4788::BEACON_ROOTS_ADDRESS, &eip4788::BEACON_ROOTS_CODE),
        (eip2935::HISTORY_STORAGE_ADDRESS, &eip2935::HISTORY_STORAGE_CODE),
        (eip6110::MAINNET_DEPOSIT_CONTRACT_ADDRESS, deposit.code()),
        (eip7002::WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS, &eip7002::WITHDRAWAL_REQUEST_PREDEPLOY_CODE),
        (eip7251::CONSOLIDATION_REQUEST_PREDEPLOY_ADDRESS, &eip7251::CONSOLIDATION_REQUEST_PREDEPLOY_CODE),
    ] {
        let account = store.account(address).unwrap().unwrap();
        assert_eq!((account.nonce, account.code_hash), (1, keccak256(code)));
        assert_eq!(store.code(account.code_hash).unwrap(), *code);
    }
}

#[test]
fn the_file_holds_the_state() {
    let (genesis, _) = chain(&config(Workload::Airdrop));
    let mut json = Vec::new();
    genesis.write_json(&mut json).unwrap();
    let json: Value = serde_json::from_slice(&json).unwrap();
    let mut store = MemoryStore::new();
    for (address, account) in json["alloc"].as_object().unwrap() {
        let address: Address = address.parse().unwrap();
        let number = |name: &str| account[name].as_str().map_or(U256::ZERO, |text| text.parse().unwrap());
        let code = account["code"].as_str().unwrap_or_default().parse().unwrap();
        let code_hash = store.add_code(code);
        let (balance, nonce) = (number("balance"), number("nonce").to());
        store.set_account(address, tandem_state::Account { balance, nonce, code_hash });
        for (slot, value) in account["storage"].as_object().into_iter().flatten() {
            let (slot, value): (B256, B256) =
                (slot.parse().unwrap(), value.as_str().unwrap().parse().unwrap());
            store.set_storage(address, slot.into(), value.into());
        }
    }
    assert_eq!(store, genesis.store());
    assert_eq!(json["config"]["bpo2Time"], 0);
    let head: Value = serde_json::from_slice(&genesis.json_without_accounts()).unwrap();
    assert_eq!((&head["config"], &head["gasLimit"]), (&json["config"], &json["gasLimit"]));
    assert_eq!(head["alloc"].as_object().unwrap().len(), 0);
}
