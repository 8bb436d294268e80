//! A block's changes as revm takes them: committed to revm's databases, they lead to the state after the block, and `State` makes
//! reverts that lead back. (For random blocks, `fuzz` compares bundles and reverts with those of alloy-evm's executor.)

use crate::common::asm::word;
use crate::common::contracts::*;
use crate::common::{Fork, Scenario, Tx, at, stream, with_executor};
use alloy_primitives::{Address, KECCAK256_EMPTY, U256};
use revm::database::states::bundle_state::BundleRetention;
use revm::database::states::reverts::AccountInfoRevert;
use revm::database::{AccountStatus, BundleState, CacheDB, RevertToSlot, State, WrapDatabaseRef};
use revm::state::{AccountInfo, EvmState};
use revm::{DatabaseCommit, DatabaseRef};
use tandem_evm::{Cut, StoreRef, to_evm_states};
use tandem_state::StateChanges;

/// The changes that the scenario's block makes, the same in every way of executing it.
fn changes(s: &Scenario) -> StateChanges {
    s.check().all_succeed();
    let streamed = stream(&with_executor(2, 0), &s.blocks(), &StoreRef(&s.store), Cut::Never);
    streamed.finished[0].state_changes()
}

fn states(s: &Scenario) -> Vec<EvmState> {
    to_evm_states(&changes(s), |address| StoreRef(&s.store).basic_ref(address)).unwrap()
}

/// What `State`, which has read nothing, makes of the block.
fn bundle(s: &Scenario) -> BundleState {
    let database = WrapDatabaseRef(StoreRef(&s.store));
    let mut state = State::builder().with_database(database).with_bundle_update().build();
    states(s).into_iter().for_each(|changes| state.commit(changes));
    state.merge_transitions(BundleRetention::Reverts);
    state.take_bundle()
}

/// A factory at 1 of what adds up in slots and dies when told to, and where its child is to be.
fn setting(fork: Fork) -> (Scenario, [Address; 3], Address) {
    let mut s = Scenario::new(fork);
    s.contract(at(1), &factory2(&vault()), 0);
    let users = [0, 1, 2].map(|n| s.user(n));
    (s, users, address2(at(1), 7, &vault()))
}

fn create(from: Address) -> Tx {
    Tx::call(from, at(1)).words(&[U256::from(7)])
}

fn die(from: Address, child: Address) -> Tx {
    Tx::call(from, child).words(&[word(at(900))])
}

fn add(from: Address, child: Address, slot: u64, amount: u64) -> Tx {
    Tx::call(from, child).words(&[U256::from(slot), U256::from(amount)])
}

#[test]
fn an_account_created_and_destroyed_in_one_block_leaves_nothing() {
    let (mut s, [a, b, c], child) = setting(Fork::Shanghai);
    s.tx(create(a));
    s.tx(add(b, child, 3, 5));
    s.tx(die(c, child));
    let bundle = bundle(&s);
    assert_eq!(bundle.account(&child), None);
    assert!(bundle.reverts[0].iter().all(|(address, _)| *address != child));
    let mut cached = CacheDB::new(StoreRef(&s.store));
    states(&s).into_iter().for_each(|changes| cached.commit(changes));
    assert_eq!(cached.basic_ref(child).unwrap(), None);
    assert_eq!(cached.storage_ref(child, U256::from(3)).unwrap(), U256::ZERO);
}

#[test]
fn a_contract_destroyed_and_created_again_gets_back_what_it_had() {
    let (mut s, [a, b, c], child) = setting(Fork::Shanghai);
    s.contract(child, &vault(), 40);
    s.set_storage(child, 3, 7);
    s.set_storage(child, 4, 7);
    s.tx(die(a, child));
    s.tx(create(b));
    s.tx(add(c, child, 3, 5));
    s.tx(add(c, child, 6, 1));
    let bundle = bundle(&s);
    let account = bundle.account(&child).unwrap();
    assert_eq!(account.status, AccountStatus::DestroyedChanged);
    assert_eq!(account.original_info.as_ref().unwrap().balance, U256::from(40));
    assert_eq!(account.storage_slot(U256::from(3)), Some(U256::from(5)));
    assert_eq!(account.storage_slot(U256::from(4)), Some(U256::ZERO));
    let (_, revert) = bundle.reverts[0].iter().find(|(address, _)| *address == child).unwrap();
    assert!(revert.wipe_storage && revert.previous_status == AccountStatus::Loaded);
    let AccountInfoRevert::RevertTo(before) = &revert.account else { panic!("{revert:?}") };
    assert_eq!(before.balance, U256::from(40));
    // What they were is in the storage from before the wipe.
    let slots = [3, 6].map(|slot| revert.storage[&U256::from(slot)]);
    assert_eq!(slots, [RevertToSlot::Destroyed; 2]);
    let mut cached = CacheDB::new(StoreRef(&s.store));
    states(&s).into_iter().for_each(|changes| cached.commit(changes));
    let slots = [3, 4, 6].map(|slot| cached.storage_ref(child, U256::from(slot)).unwrap());
    assert_eq!(slots, [5, 0, 1].map(U256::from));
}

#[test]
fn reverts_hold_what_was_there_before_the_block_though_nothing_was_read() {
    let (mut s, [a, b, _], child) = setting(Fork::Prague);
    s.contract(child, &vault(), 40);
    s.set_storage(child, 3, 7);
    s.fund(at(901), 5);
    s.tx(add(a, child, 3, 5));
    s.tx(Tx::pay(a, at(901), 1));
    s.tx(Tx::pay(b, at(902), 1));
    let bundle = bundle(&s);
    let revert = |address: Address| {
        let (_, revert) = bundle.reverts[0].iter().find(|(other, _)| *other == address).unwrap();
        revert.clone()
    };
    let of_child = revert(child);
    assert_eq!(of_child.account, AccountInfoRevert::DoNothing);
    assert_eq!(of_child.storage[&U256::from(3)], RevertToSlot::Some(U256::from(7)));
    let paid = AccountInfo { code: None, ..AccountInfo::from_balance(U256::from(5)) };
    assert_eq!(revert(at(901)).account, AccountInfoRevert::RevertTo(paid));
    assert_eq!(revert(at(902)).account, AccountInfoRevert::DeleteIt);
    let AccountInfoRevert::RevertTo(sender) = revert(a).account else { panic!() };
    assert_eq!((sender.nonce, sender.code_hash), (0, KECCAK256_EMPTY));
}

#[test]
fn an_empty_account_that_came_into_being_before_eip_161_is_there() {
    let (mut s, [a, ..], _) = setting(Fork::Homestead);
    s.tx(Tx::pay(a, at(901), 0));
    let bundle = bundle(&s);
    let account = bundle.account(&at(901)).unwrap();
    assert_eq!((account.info.clone(), account.original_info.clone()), (Some(AccountInfo::default()), None));
}
