//! Comparing bundles.

use alloy_primitives::{Address, B256, KECCAK256_EMPTY, U256};
use revm::database::states::reverts::AccountInfoRevert;
use revm::database::{AccountStatus, BundleAccount, BundleState, RevertToSlot};
use revm::state::AccountInfo;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

/// The first thing in which the bundle of one block says something else than that of another execution of the block.
///
/// Left aside is what says nothing: an account or a slot that is in a bundle and is as it was, and that storage was wiped where there was
/// no contract to have any.
pub fn bundle_difference(found: &BundleState, expected: &BundleState) -> Option<String> {
    let [found, expected] = [found, expected].map(Facts::new);
    unequal_maps("account", &found.accounts, &expected.accounts)
        .or_else(|| unequal_maps("revert of", &found.reverts, &expected.reverts))
        .or_else(|| unequal("codes", &found.codes, &expected.codes))
}

fn unequal<T: PartialEq + Debug>(what: &str, found: &T, expected: &T) -> Option<String> {
    (found != expected).then(|| format!("{what}: {found:?}, not {expected:?}"))
}

/// The first key that does not lead to the same in both.
fn unequal_maps<K: Ord + Debug, V: PartialEq + Debug>(
    what: &str,
    found: &BTreeMap<K, V>,
    expected: &BTreeMap<K, V>,
) -> Option<String> {
    let mut keys = found.keys().chain(expected.keys());
    keys.find_map(|key| unequal(&format!("{what} {key:?}"), &found.get(key), &expected.get(key)))
}

/// What a bundle of one block says.
struct Facts {
    accounts: BTreeMap<Address, BundledAccount>,
    reverts: BTreeMap<Address, BundledRevert>,
    codes: BTreeSet<B256>,
}

#[derive(Debug, PartialEq)]
struct BundledAccount {
    before: Option<AccountInfo>,
    after: Option<AccountInfo>,
    storage: BTreeMap<U256, (U256, U256)>,
    status: AccountStatus,
}

#[derive(Debug, PartialEq)]
struct BundledRevert {
    account: AccountInfoRevert,
    storage: BTreeMap<U256, RevertToSlot>,
    status: AccountStatus,
    wiped: bool,
}

impl Facts {
    fn new(bundle: &BundleState) -> Self {
        let was_contract = |account: &BundleAccount| {
            account.original_info.as_ref().is_some_and(|info| !info.has_no_code_and_nonce())
        };
        let mut accounts = BTreeMap::new();
        for (address, account) in &bundle.state {
            let had_storage = was_contract(account);
            let changed = account.storage.iter().filter(|(_, slot)| slot.is_changed());
            let facts = BundledAccount {
                before: account.original_info.clone(),
                after: account.info.clone(),
                storage: changed
                    .map(|(slot, value)| (*slot, (value.previous_or_original_value, value.present_value)))
                    .collect(),
                status: match account.status {
                    AccountStatus::DestroyedAgain => AccountStatus::Destroyed,
                    // Created, destroyed and created again where no contract was.
                    AccountStatus::DestroyedChanged if !had_storage => AccountStatus::InMemoryChange,
                    status => status,
                },
            };
            let wiped = had_storage && account.was_destroyed();
            if facts.before != facts.after || !facts.storage.is_empty() || wiped {
                accounts.insert(*address, facts);
            }
        }
        let mut reverts = BTreeMap::new();
        for (address, revert) in bundle.reverts.iter().flatten() {
            let had_storage = bundle.state.get(address).is_some_and(was_contract);
            let slot = |(slot, value): (&U256, &RevertToSlot)| {
                let value = if had_storage { *value } else { RevertToSlot::Some(value.to_previous_value()) };
                (*slot, value)
            };
            let facts = BundledRevert {
                account: revert.account.clone(),
                storage: revert.storage.iter().map(slot).collect(),
                status: revert.previous_status,
                wiped: revert.wipe_storage && had_storage,
            };
            if facts.account != AccountInfoRevert::DoNothing || !facts.storage.is_empty() || facts.wiped {
                reverts.insert(*address, facts);
            }
        }
        let hashes = bundle.contracts.keys().filter(|hash| **hash != KECCAK256_EMPTY);
        let codes = hashes.copied().collect();
        Self { accounts, reverts, codes }
    }
}
