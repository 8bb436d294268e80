use super::changes::{HashedAccount, HashedChanges};
use crate::store::Account;
use alloy_primitives::{B256, Bytes, U256};
use alloy_trie::{Nibbles, TrieAccount};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

/// The leaves that one block changed, as a database keeps them. Sorted by key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LeafUpdates {
    /// Accounts with their new storage roots, by hashed address; `None` where the account is gone.
    pub accounts: Vec<(B256, Option<TrieAccount>)>,
    /// Changed storage, by hashed address.
    pub storages: Vec<(B256, StorageLeaves)>,
}

impl LeafUpdates {
    /// Adds what a later block, or a later part of the block, changed.
    pub fn extend(&mut self, later: Self) {
        merge(&mut self.accounts, later.accounts, |account, later| *account = later);
        merge(&mut self.storages, later.storages, |storage, later| {
            if later.wiped {
                *storage = later;
            } else {
                merge(&mut storage.slots, later.slots, |value, later| *value = later);
            }
        });
    }

    /// The same as changes, from which tries give these leaves again.
    pub fn changes(&self) -> HashedChanges {
        let mut accounts = BTreeMap::<B256, HashedAccount>::new();
        for (key, account) in &self.accounts {
            let fields = account.map(|account| {
                let TrieAccount { nonce, balance, code_hash, .. } = account;
                Account { nonce, balance, code_hash }
            });
            accounts.entry(*key).or_default().account = Some(fields);
        }
        for (key, StorageLeaves { wiped, slots }) in &self.storages {
            let account = accounts.entry(*key).or_default();
            (account.storage_wiped, account.storage) = (*wiped, slots.clone());
        }
        HashedChanges { accounts: accounts.into_iter().collect() }
    }
}

/// Merges two lists that are sorted by key; `both` brings a value that both have up to date.
fn merge<T>(list: &mut Vec<(B256, T)>, later: Vec<(B256, T)>, mut both: impl FnMut(&mut T, T)) {
    let mut merged: BTreeMap<B256, T> = std::mem::take(list).into_iter().collect();
    for (key, value) in later {
        match merged.entry(key) {
            Entry::Vacant(entry) => {
                entry.insert(value);
            }
            Entry::Occupied(mut entry) => both(entry.get_mut(), value),
        }
    }
    list.extend(merged);
}

/// How the slots of one account changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StorageLeaves {
    /// Whether all slots from before are gone. `slots` then starts from empty.
    pub wiped: bool,
    /// New values by hashed slot; zero removes the slot.
    pub slots: Vec<(B256, U256)>,
}

/// Inner nodes (branches and extensions) that changed since they were last taken. Sorted by path; leaves are not among
/// them, since [`LeafUpdates`] holds all there is to know of a leaf.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodeUpdates {
    /// RLP of the nodes of the trie of accounts by path; `None` where there is no inner node any more.
    pub accounts: Vec<(Nibbles, Option<Bytes>)>,
    /// Nodes of storage tries, by hashed address.
    pub storages: Vec<(B256, StorageNodes)>,
}

/// Changed inner nodes of one storage trie.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StorageNodes {
    /// Whether all nodes from before are gone. `nodes` then starts from empty.
    pub wiped: bool,
    /// RLP by path; `None` where there is no inner node any more.
    pub nodes: Vec<(Nibbles, Option<Bytes>)>,
}
