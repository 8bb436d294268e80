use crate::store::Account;
use crate::trie::sparse::{SparseTrie, Update, Value};
use crate::trie::updates::StorageLeaves;
use alloy_primitives::{B256, U256};
use alloy_rlp::Decodable;
use alloy_trie::{EMPTY_ROOT_HASH, Nibbles, TrieAccount};

/// The open block's changes of one account so far.
#[derive(Debug, Default)]
pub(super) struct OpenAccount {
    /// The leaf as it was before the block.
    before: Option<TrieAccount>,
    /// The new fields, if they were set.
    fields: Option<Option<Account>>,
    /// Whether slots from before the block are gone.
    wiped: bool,
    /// Changed slots in the order of the chunks, each chunk ascending.
    slots: Vec<(B256, U256)>,
}

/// A block's changes of one account.
#[derive(Debug)]
pub(super) struct ClosedAccount {
    pub(super) address: B256,
    /// The new leaf, if it is another.
    pub(super) account: Option<Option<TrieAccount>>,
    pub(super) storage: Option<StorageLeaves>,
}

impl OpenAccount {
    pub(super) fn new(before: Option<TrieAccount>) -> Self {
        Self { before, ..Self::default() }
    }

    pub(super) fn storage_root_before(&self) -> B256 {
        self.before.map_or(EMPTY_ROOT_HASH, |account| account.storage_root)
    }

    pub(super) fn set_fields(&mut self, fields: Option<Account>) {
        self.fields = Some(fields);
    }

    pub(super) fn set_slots(&mut self, slots: &[(B256, U256)]) {
        self.slots.extend_from_slice(slots);
    }

    /// Forgets all slots. Where there were none, nothing needs to be wiped.
    pub(super) fn wipe(&mut self) {
        self.wiped |= self.storage_root_before() != EMPTY_ROOT_HASH || !self.slots.is_empty();
        self.slots.clear();
    }

    /// Ends the block. `None` if there is storage under `storage_root`, but no account.
    pub(super) fn close(mut self, address: B256, storage_root: B256) -> Option<ClosedAccount> {
        let fields = self.fields.unwrap_or_else(|| {
            let account = self.before?;
            Some(Account { balance: account.balance, nonce: account.nonce, code_hash: account.code_hash })
        });
        let after = fields.map(|account| TrieAccount {
            nonce: account.nonce,
            balance: account.balance,
            storage_root,
            code_hash: account.code_hash,
        });
        if after.is_none() && storage_root != EMPTY_ROOT_HASH {
            return None;
        }
        if !self.slots.is_sorted_by(|a, b| a.0 < b.0) {
            self.slots.sort_by_key(|(slot, _)| *slot);
            self.slots.dedup_by(|later, kept| {
                let same = later.0 == kept.0;
                if same {
                    kept.1 = later.1;
                }
                same
            });
        }
        let storage = (self.wiped || !self.slots.is_empty())
            .then_some(StorageLeaves { wiped: self.wiped, slots: self.slots });
        Some(ClosedAccount { address, account: (after != self.before).then_some(after), storage })
    }
}

impl ClosedAccount {
    /// The change of the account trie.
    pub(super) fn update(&self) -> Option<Update> {
        let value = self.account?.and_then(|account| Value::new(&alloy_rlp::encode(account)));
        Some(Update { key: Nibbles::unpack_array(&self.address), value })
    }
}

/// The trie of an account's storage, and whether its nodes changed since they were last taken.
#[derive(Debug)]
pub(super) struct StorageTrie {
    pub(super) trie: SparseTrie,
    pub(super) changed: bool,
}

/// The account that a leaf's value stands for; `None` if it stands for none.
pub(in crate::trie) fn decode_account(mut value: &[u8]) -> Option<TrieAccount> {
    let account = TrieAccount::decode(&mut value).ok()?;
    value.is_empty().then_some(account)
}

/// The slot's value that a leaf's value stands for; `None` if it stands for none.
pub(in crate::trie) fn decode_slot(mut value: &[u8]) -> Option<U256> {
    let slot = U256::decode(&mut value).ok()?;
    (value.is_empty() && !slot.is_zero()).then_some(slot)
}
