//! revm's bundles: what a block did to the state and how to undo it.

use super::harness::{Expected, unequal};
use super::reference::{StateOver, state_over};
use alloy_primitives::{Address, B256, KECCAK256_EMPTY, U256};
use revm::database::states::PlainStateReverts;
use revm::database::states::bundle_state::BundleRetention;
use revm::database::states::reverts::AccountInfoRevert;
use revm::database::{AccountStatus, BundleState, OriginalValuesKnown, RevertToSlot};
use revm::database_interface::{Database, DatabaseCommit, DatabaseRef};
use revm::state::AccountInfo;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use tandem_evm::{StoreRef, to_evm_states};
use tandem_state::{Account, MemoryStore, StateChanges, Store};

/// Compares the changes of a block with alloy-evm's bundle: the state that they lead to, and what revm's `State` makes of them,
/// whether it has read the accounts before or not.
pub(super) fn difference(
    before: &MemoryStore,
    bundle: &BundleState,
    changes: &StateChanges,
) -> Option<String> {
    let [mut found, mut expected] = [(); 2].map(|()| before.clone());
    changes.apply(&mut found);
    apply(&mut expected, bundle);
    if let Some(difference) = unequal_states("state", &found, &expected) {
        return Some(difference);
    }
    let expected = BundleContents::new(before, bundle);
    for has_read in [false, true] {
        let mut state = state_over(before, true);
        if has_read {
            changes.accounts.keys().for_each(|address| drop(state.basic(*address).unwrap()));
        }
        commit(&mut state, before, changes);
        let found = BundleContents::new(before, &state.take_bundle());
        let difference = unequal_maps("bundle", &found.accounts, &expected.accounts)
            .or_else(|| unequal_maps("reverts", &found.reverts, &expected.reverts))
            .or_else(|| unequal_maps("codes", &found.codes, &expected.codes));
        if difference.is_some() {
            return difference;
        }
    }
    None
}

/// Has one `State` take in all blocks, and undoes them one by one. `states` are those before each block, and after the last one.
pub(super) fn undo_difference(states: &[MemoryStore], blocks: &[Expected]) -> Option<String> {
    let base = states.first()?;
    let mut state = state_over(base, true);
    for (before, block) in states.iter().zip(blocks) {
        commit(&mut state, before, &block.changes);
    }
    let reverts = state.take_bundle().reverts.to_plain_state_reverts();
    for (index, (before, after)) in states.iter().zip(states.iter().skip(1)).enumerate() {
        let mut undone = after.clone();
        undo(&mut undone, base, &reverts, index);
        let difference = unequal_states(&format!("undone block {index}"), &undone, before);
        if difference.is_some() {
            return difference;
        }
    }
    None
}

/// Has `state`, which is at the state in `before`, take in a block.
fn commit(state: &mut StateOver<'_>, before: &MemoryStore, changes: &StateChanges) {
    let current = |address| StoreRef(before).basic_ref(address);
    to_evm_states(changes, current).unwrap().into_iter().for_each(|changes| state.commit(changes));
    state.merge_transitions(BundleRetention::Reverts);
}

fn unequal_states(what: &str, found: &MemoryStore, expected: &MemoryStore) -> Option<String> {
    let accounts = |store: &MemoryStore| -> BTreeMap<_, _> {
        store.accounts().map(|(address, account)| (*address, *account)).collect()
    };
    let slots = |store: &MemoryStore| -> BTreeMap<_, _> {
        store.slots().map(|(address, slot, value)| ((address, slot), value)).collect()
    };
    unequal_maps(what, &accounts(found), &accounts(expected))
        .or_else(|| unequal_maps(what, &slots(found), &slots(expected)))
}

/// The first key that does not lead to the same in both.
fn unequal_maps<K: Ord + Debug, V: PartialEq + Debug>(
    what: &str,
    found: &BTreeMap<K, V>,
    expected: &BTreeMap<K, V>,
) -> Option<String> {
    let mut keys = found.keys().chain(expected.keys());
    let key = keys.find(|key| found.get(*key) != expected.get(*key))?;
    unequal(&format!("{what}: {key:?}"), &found.get(key), &expected.get(key))
}

fn set(store: &mut MemoryStore, address: Address, info: Option<&AccountInfo>) {
    match info {
        Some(AccountInfo { balance, nonce, code_hash, .. }) => {
            let account = Account { balance: *balance, nonce: *nonce, code_hash: *code_hash };
            store.set_account(address, account);
        }
        None => store.remove_account(address),
    }
}

fn apply(store: &mut MemoryStore, bundle: &BundleState) {
    let plain = bundle.to_plain_state(OriginalValuesKnown::Yes);
    for (address, info) in plain.accounts {
        set(store, address, info.as_ref());
    }
    for changed in plain.storage {
        if changed.wipe_storage {
            store.clear_storage(changed.address);
        }
        for (slot, value) in changed.storage {
            store.set_storage(changed.address, slot, value);
        }
    }
}

/// Undoes a block. Storage that was wiped is as it was in `base`, but for what the reverts say.
fn undo(store: &mut MemoryStore, base: &MemoryStore, reverts: &PlainStateReverts, block: usize) {
    for (address, info) in &reverts.accounts[block] {
        set(store, *address, info.as_ref());
        if info.is_none() {
            store.clear_storage(*address);
        }
    }
    for reverted in &reverts.storage[block] {
        if reverted.wiped {
            for (_, slot, value) in base.slots().filter(|(address, ..)| *address == reverted.address) {
                store.set_storage(reverted.address, slot, value);
            }
        }
        for (slot, value) in &reverted.storage_revert {
            let wiped = reverted.wiped && *value == RevertToSlot::Destroyed;
            let value = if wiped {
                base.storage(reverted.address, *slot).unwrap()
            } else {
                value.to_previous_value()
            };
            store.set_storage(reverted.address, *slot, value);
        }
    }
}

/// What a bundle of one block says, without what says nothing: an account that was touched and is as it was, and that storage was wiped
/// where there was none.
struct BundleContents {
    accounts: BTreeMap<Address, BundleAccountContents>,
    reverts: BTreeMap<Address, BundleRevertContents>,
    codes: BTreeMap<B256, ()>,
}

#[derive(Debug, PartialEq)]
struct BundleAccountContents {
    before: Option<AccountInfo>,
    after: Option<AccountInfo>,
    storage: BTreeMap<U256, (U256, U256)>,
    status: AccountStatus,
}

#[derive(Debug, PartialEq)]
struct BundleRevertContents {
    account: AccountInfoRevert,
    storage: BTreeMap<U256, RevertToSlot>,
    status: AccountStatus,
    wiped: bool,
}

impl BundleContents {
    fn new(before: &MemoryStore, bundle: &BundleState) -> Self {
        let with_storage: BTreeSet<_> = before.slots().map(|(address, ..)| address).collect();
        let mut accounts = BTreeMap::new();
        for (address, account) in &bundle.state {
            let had_storage = with_storage.contains(address);
            let changed = account.storage.iter().filter(|(_, slot)| slot.is_changed());
            let told = BundleAccountContents {
                before: account.original_info.clone(),
                after: account.info.clone(),
                storage: changed
                    .map(|(slot, value)| (*slot, (value.previous_or_original_value, value.present_value)))
                    .collect(),
                status: match account.status {
                    AccountStatus::DestroyedAgain => AccountStatus::Destroyed,
                    // Created, destroyed and created again where no contract was.
                    AccountStatus::DestroyedChanged
                        if account.original_info.as_ref().is_none_or(AccountInfo::has_no_code_and_nonce) =>
                    {
                        AccountStatus::InMemoryChange
                    }
                    status => status,
                },
            };
            let wiped = had_storage && account.was_destroyed();
            if told.before != told.after || !told.storage.is_empty() || wiped {
                accounts.insert(*address, told);
            }
        }
        let mut reverts = BTreeMap::new();
        for (address, revert) in bundle.reverts.iter().flatten() {
            let had_storage = with_storage.contains(address);
            let slot = |(slot, value): (&U256, &RevertToSlot)| {
                let value = if had_storage { *value } else { RevertToSlot::Some(value.to_previous_value()) };
                (*slot, value)
            };
            let told = BundleRevertContents {
                account: revert.account.clone(),
                storage: revert.storage.iter().map(slot).collect(),
                status: revert.previous_status,
                wiped: revert.wipe_storage && had_storage,
            };
            if told.account != AccountInfoRevert::DoNothing || !told.storage.is_empty() || told.wiped {
                reverts.insert(*address, told);
            }
        }
        let hashes = bundle.contracts.keys().filter(|hash| **hash != KECCAK256_EMPTY);
        let codes = hashes.map(|hash| (*hash, ())).collect();
        Self { accounts, reverts, codes }
    }
}
