use crate::memory::MemoryStore;
use crate::store::Account;
use alloy_primitives::map::{B256Map, B256Set};
use alloy_primitives::{Address, B256, Bytes, U256};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

/// How a block changed one account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct AccountChange {
    /// The fields before and after the block, if any of them changed; `None` inside means that the state does not
    /// hold the account.
    pub fields: Option<(Option<Account>, Option<Account>)>,
    /// Whether all storage from before the block is gone. `storage` then starts from empty.
    pub storage_wiped: bool,
    /// Changed slots with their values before and after.
    pub storage: BTreeMap<U256, (U256, U256)>,
}

/// A block's changes of the state, by address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct StateChanges {
    /// Changed accounts. An account whose storage alone changed is here, too.
    pub accounts: BTreeMap<Address, AccountChange>,
    /// Codes that the block deployed, by hash.
    pub codes: B256Map<Bytes>,
}

impl AccountChange {
    /// Adds what happened to the account afterwards.
    fn extend(&mut self, later: Self) {
        if let Some((before, after)) = later.fields {
            let before = self.fields.map_or(before, |(first, _)| first);
            self.fields = (before != after).then_some((before, after));
        }
        if later.storage_wiped {
            self.storage_wiped = true;
            self.storage = later.storage;
            return;
        }
        for (slot, (before, after)) in later.storage {
            let before = self.storage.get(&slot).map_or(before, |(first, _)| *first);
            if before == after {
                self.storage.remove(&slot);
            } else {
                self.storage.insert(slot, (before, after));
            }
        }
    }

    /// The hash of the account's code, if it is another than before.
    fn new_code(&self) -> Option<B256> {
        let (before, after) = self.fields?;
        let after = after?.code_hash;
        (before.map(|before| before.code_hash) != Some(after)).then_some(after)
    }

    fn is_none(&self) -> bool {
        self.fields.is_none() && !self.storage_wiped && self.storage.is_empty()
    }
}

impl StateChanges {
    /// Adds changes that were made after these. A value that comes back is no change.
    pub fn extend(&mut self, later: Self) {
        for (address, change) in later.accounts {
            match self.accounts.entry(address) {
                Entry::Vacant(entry) => {
                    entry.insert(change);
                }
                Entry::Occupied(mut entry) => {
                    entry.get_mut().extend(change);
                    if entry.get().is_none() {
                        entry.remove();
                    }
                }
            }
        }
        self.codes.extend(later.codes);
        if !self.codes.is_empty() {
            // A code that was replaced again belongs to no account.
            let held: B256Set = self.accounts.values().filter_map(AccountChange::new_code).collect();
            self.codes.retain(|hash, _| held.contains(hash));
        }
    }

    /// Brings a state from before the block to after it.
    pub fn apply(&self, state: &mut MemoryStore) {
        for code in self.codes.values() {
            state.add_code(code.clone());
        }
        for (address, change) in &self.accounts {
            if change.storage_wiped {
                state.clear_storage(*address);
            }
            match change.fields {
                Some((_, Some(account))) => state.set_account(*address, account),
                Some((_, None)) => state.remove_account(*address),
                None => {}
            }
            for (slot, (_, value)) in &change.storage {
                state.set_storage(*address, *slot, *value);
            }
        }
    }
}
