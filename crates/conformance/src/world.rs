use alloy_primitives::map::B256Map;
use alloy_primitives::{Address, B256, Bytes, KECCAK256_EMPTY, U256, keccak256};
use alloy_trie::TrieAccount;
use alloy_trie::root::{state_root_unhashed, storage_root_unhashed};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use tandem_chain::HeaderChain;
use tandem_state::{Account, MissingCode, StateChanges, Store};

/// A whole state in memory, whose root is computed from all that it holds.
///
/// It is deliberately simple: nothing of it is shared with the engine's stores and tries, which are checked against it.
/// Copies share the accounts that none of them has changed.
#[derive(Clone, Debug, Default)]
pub struct World {
    accounts: BTreeMap<Address, Arc<WorldAccount>>,
    codes: Arc<B256Map<Bytes>>,
}

/// An account with its storage.
#[derive(Clone, Debug, Default)]
pub(crate) struct WorldAccount {
    pub(crate) fields: Account,
    storage: BTreeMap<U256, U256>,
    /// Computed when asked for; an account that changes is another account.
    storage_root: OnceLock<B256>,
}

impl PartialEq for WorldAccount {
    fn eq(&self, other: &Self) -> bool {
        self.fields == other.fields && self.storage == other.storage
    }
}

/// An account as tests state it.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub(crate) struct StatedAccount {
    pub(crate) balance: U256,
    pub(crate) code: Bytes,
    pub(crate) nonce: U256,
    pub(crate) storage: BTreeMap<U256, U256>,
}

/// The accounts of a state as tests state them.
pub(crate) type StatedAccounts = BTreeMap<Address, StatedAccount>;

impl World {
    /// The state with these accounts.
    ///
    /// # Errors
    ///
    /// The address of an account whose nonce does not fit in 64 bits.
    pub(crate) fn new(stated: &StatedAccounts) -> Result<Self, Address> {
        let mut world = Self::default();
        for (address, account) in stated {
            world.set(*address, account).ok_or(*address)?;
        }
        Ok(world)
    }

    /// Sets an account with its storage; `None` if its nonce does not fit in 64 bits.
    pub(crate) fn set(&mut self, address: Address, stated: &StatedAccount) -> Option<()> {
        let StatedAccount { balance, code, nonce, storage } = stated;
        let code_hash = self.add_code(code);
        let fields = Account { balance: *balance, nonce: nonce.try_into().ok()?, code_hash };
        let storage = storage.iter().filter(|(_, value)| !value.is_zero());
        let storage = storage.map(|(slot, value)| (*slot, *value)).collect();
        let account = WorldAccount { fields, storage, storage_root: OnceLock::new() };
        self.accounts.insert(address, Arc::new(account));
        Some(())
    }

    /// Accounts with storage, but without nonce and code, where nothing can be created (EIP-7610), each with a slot.
    pub(crate) fn occupied_addresses(&self) -> impl Iterator<Item = (Address, U256)> {
        self.accounts.iter().filter_map(|(address, account)| {
            let Account { nonce, code_hash, .. } = account.fields;
            let slot =
                account.storage.keys().next().filter(|_| nonce == 0 && code_hash == KECCAK256_EMPTY)?;
            Some((*address, *slot))
        })
    }

    /// Brings the state from before a block, or a part of one, to after it.
    pub(crate) fn apply(&mut self, changes: &StateChanges) {
        for code in changes.codes.values() {
            self.add_code(code);
        }
        for (address, change) in &changes.accounts {
            if let Some((_, None)) = change.fields {
                self.accounts.remove(address);
                continue;
            }
            let is_nothing = change.fields.is_none() && change.storage.is_empty();
            if is_nothing && !self.accounts.contains_key(address) {
                continue;
            }
            let account = Arc::make_mut(self.accounts.entry(*address).or_default());
            account.storage_root.take();
            if let Some((_, Some(fields))) = change.fields {
                account.fields = fields;
            }
            if change.storage_wiped {
                account.storage.clear();
            }
            for (slot, (_, value)) in &change.storage {
                if value.is_zero() {
                    account.storage.remove(slot);
                } else {
                    account.storage.insert(*slot, *value);
                }
            }
        }
    }

    /// The root of the state trie, computed anew from all accounts.
    pub(crate) fn state_root(&self) -> B256 {
        state_root_unhashed(self.accounts.iter().map(|(address, account)| {
            let Account { balance, nonce, code_hash } = account.fields;
            let storage_root = account.storage_root();
            (*address, TrieAccount { nonce, balance, storage_root, code_hash })
        }))
    }

    /// The first account in which this state differs from what a test states, in words.
    pub(crate) fn difference(&self, stated: &StatedAccounts) -> Option<String> {
        let Ok(expected) = Self::new(stated) else {
            return Some("the stated state has a nonce above 64 bits".to_owned());
        };
        for (address, wanted) in &expected.accounts {
            match self.accounts.get(address) {
                None => return Some(format!("account {address} is missing")),
                Some(found) => {
                    if let Some(difference) = found.difference(wanted) {
                        return Some(format!("account {address}: {difference}"));
                    }
                }
            }
        }
        let more = self.accounts.keys().find(|address| !expected.accounts.contains_key(*address));
        more.map(|address| format!("account {address} should not exist"))
    }

    fn add_code(&mut self, code: &Bytes) -> B256 {
        if code.is_empty() {
            return KECCAK256_EMPTY;
        }
        let hash = keccak256(code);
        if !self.codes.contains_key(&hash) {
            Arc::make_mut(&mut self.codes).insert(hash, code.clone());
        }
        hash
    }
}

impl WorldAccount {
    fn storage_root(&self) -> B256 {
        *self.storage_root.get_or_init(|| {
            storage_root_unhashed(self.storage.iter().map(|(slot, value)| (B256::from(*slot), *value)))
        })
    }

    fn difference(&self, wanted: &Self) -> Option<String> {
        let (found, expected) = (self.fields, wanted.fields);
        if found.balance != expected.balance {
            return Some(format!("its balance is {}, expected {}", found.balance, expected.balance));
        }
        if found.nonce != expected.nonce {
            return Some(format!("its nonce is {}, expected {}", found.nonce, expected.nonce));
        }
        if found.code_hash != expected.code_hash {
            return Some(format!("its code hash is {}, expected {}", found.code_hash, expected.code_hash));
        }
        let mut slots = self.storage.keys().chain(wanted.storage.keys());
        let slot = slots.find(|slot| self.storage.get(*slot) != wanted.storage.get(*slot))?;
        let value = |account: &Self| account.storage.get(slot).copied().unwrap_or_default();
        Some(format!("its slot {slot:#x} is {:#x}, expected {:#x}", value(self), value(wanted)))
    }
}

/// A state to execute blocks on, with BLOCKHASH's answers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Base<'w> {
    pub(crate) world: &'w World,
    pub(crate) block_hashes: BlockHashes<'w>,
}

/// BLOCKHASH's answers.
#[derive(Clone, Copy, Debug)]
pub(crate) enum BlockHashes<'w> {
    /// The hash of the number's decimal digits, as state tests have it.
    OfNumbers,
    /// Those of a chain's last blocks.
    Chain(&'w HeaderChain),
}

impl Store for Base<'_> {
    type Error = MissingCode;

    fn account(&self, address: Address) -> Result<Option<Account>, MissingCode> {
        Ok(self.world.accounts.get(&address).map(|account| account.fields))
    }

    fn storage(&self, address: Address, slot: U256) -> Result<U256, MissingCode> {
        let account = self.world.accounts.get(&address);
        Ok(account.and_then(|account| account.storage.get(&slot)).copied().unwrap_or_default())
    }

    fn code(&self, hash: B256) -> Result<Bytes, MissingCode> {
        if hash == KECCAK256_EMPTY {
            return Ok(Bytes::new());
        }
        self.world.codes.get(&hash).cloned().ok_or(MissingCode(hash))
    }

    fn block_hash(&self, number: u64) -> Result<B256, MissingCode> {
        Ok(match self.block_hashes {
            BlockHashes::OfNumbers => hash_of_number(number),
            BlockHashes::Chain(chain) => chain.block_hash(number).unwrap_or_default(),
        })
    }
}

/// A state test's hash of the block with this number.
pub(crate) fn hash_of_number(number: u64) -> B256 {
    keccak256(number.to_string())
}
