use crate::changes::StateChanges;
use crate::memory::MemoryStore;
use crate::store::Account;
use alloy_primitives::{Address, B256, U256, keccak256};
use rayon::prelude::*;
use std::collections::BTreeMap;

/// A block's changes of the state under the keys of the tries, sorted by key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HashedChanges {
    /// Changed accounts by the Keccak-256 of their addresses, ascending.
    pub accounts: Vec<(B256, HashedAccount)>,
}

/// How one account changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HashedAccount {
    /// The new fields if they changed; `Some(None)` if the account is gone.
    pub account: Option<Option<Account>>,
    /// Whether all storage from before is gone. `storage` then starts from empty.
    pub storage_wiped: bool,
    /// New values of changed slots by the Keccak-256 of their numbers, ascending; zero removes the slot.
    pub storage: Vec<(B256, U256)>,
}

impl From<&MemoryStore> for HashedChanges {
    /// The changes that lead from an empty state to this one.
    fn from(state: &MemoryStore) -> Self {
        let mut accounts: BTreeMap<Address, HashedAccount> = BTreeMap::new();
        for (address, account) in state.accounts() {
            accounts.entry(*address).or_default().account = Some(Some(*account));
        }
        for (address, slot, value) in state.slots() {
            let slot = keccak256(slot.to_be_bytes::<32>());
            accounts.entry(address).or_default().storage.push((slot, value));
        }
        let mut accounts: Vec<_> = accounts
            .into_par_iter()
            .map(|(address, mut account)| {
                account.storage.sort_unstable_by_key(|(key, _)| *key);
                (keccak256(address), account)
            })
            .collect();
        accounts.sort_unstable_by_key(|(key, _)| *key);
        Self { accounts }
    }
}

impl HashedChanges {
    /// Hashes the keys, in parallel on the current rayon pool.
    pub fn new(changes: &StateChanges) -> Self {
        let mut accounts: Vec<_> = changes
            .accounts
            .par_iter()
            .map(|(address, change)| {
                let mut storage: Vec<_> = change
                    .storage
                    .iter()
                    .map(|(slot, (_, after))| (keccak256(slot.to_be_bytes::<32>()), *after))
                    .collect();
                storage.sort_unstable_by_key(|(key, _)| *key);
                let account = change.fields.map(|(_, after)| after);
                let hashed = HashedAccount { account, storage_wiped: change.storage_wiped, storage };
                (keccak256(address), hashed)
            })
            .collect();
        accounts.sort_unstable_by_key(|(key, _)| *key);
        Self { accounts }
    }
}
