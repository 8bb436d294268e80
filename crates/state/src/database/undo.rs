use crate::store::Account;
use crate::trie::{HashedAccount, HashedChanges, LeafUpdates, StorageLeaves};
use alloy_primitives::{B256, U256};
use alloy_trie::TrieAccount;
use std::collections::BTreeMap;

/// The leaves that one or more consecutive blocks overwrote, as they were before the first of them.
///
/// A storage that a block wiped is here slot by slot. An account that a block created is here as absent, and each of
/// its slots as zero.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UndoRecord {
    /// Accounts by hashed address; `None` if there was none.
    pub accounts: BTreeMap<B256, Option<TrieAccount>>,
    /// Slots by hashed address and hashed slot; zero if there was no value.
    pub storage: BTreeMap<B256, BTreeMap<B256, U256>>,
    /// Codes that were not there.
    pub codes: Vec<B256>,
}

impl UndoRecord {
    /// Extends the record by that of the block before: where both name a leaf, the older one tells the value.
    pub fn extend_back(&mut self, older: Self) {
        self.accounts.extend(older.accounts);
        for (owner, slots) in older.storage {
            self.storage.entry(owner).or_default().extend(slots);
        }
        self.codes.extend(older.codes);
    }

    /// The way back as changes of the state, for computing its root and the inner nodes that change.
    pub fn changes(&self) -> HashedChanges {
        let mut accounts: BTreeMap<B256, HashedAccount> = BTreeMap::new();
        for (key, account) in &self.accounts {
            let fields = account.as_ref().map(|account| Account {
                balance: account.balance,
                nonce: account.nonce,
                code_hash: account.code_hash,
            });
            accounts.entry(*key).or_default().account = Some(fields);
        }
        for (owner, slots) in &self.storage {
            accounts.entry(*owner).or_default().storage =
                slots.iter().map(|(slot, value)| (*slot, *value)).collect();
        }
        HashedChanges { accounts: accounts.into_iter().collect() }
    }

    /// The way back as changes of leaves.
    pub fn leaves(&self) -> LeafUpdates {
        let storages = self.storage.iter().map(|(owner, slots)| {
            let slots = slots.iter().map(|(slot, value)| (*slot, *value)).collect();
            (*owner, StorageLeaves { wiped: false, slots })
        });
        LeafUpdates { accounts: self.accounts.clone().into_iter().collect(), storages: storages.collect() }
    }
}
