use crate::store::{Account, Store};
use alloy_primitives::{
    Address, B256, Bytes, KECCAK256_EMPTY, U256, keccak256,
    map::{AddressSet, HashMap},
};
use std::sync::Arc;

/// A state held in memory.
///
/// Codes are behind an [`Arc`] so that many stores can share one pool of them. Two stores are equal if they hold the
/// same accounts, slots, block hashes and codes, codes that no account has included.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MemoryStore {
    accounts: HashMap<Address, Account>,
    storage: HashMap<(Address, U256), U256>,
    codes: Arc<HashMap<B256, Bytes>>,
    block_hashes: HashMap<u64, B256>,
}

/// A code that some account names is not in the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MissingCode(pub B256);

impl std::fmt::Display for MissingCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the code with hash {} is not in the store", self.0)
    }
}

impl std::error::Error for MissingCode {}

impl MemoryStore {
    /// An empty state.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty state whose codes come from a shared pool.
    pub fn with_codes(codes: Arc<HashMap<B256, Bytes>>) -> Self {
        Self { codes, ..Self::default() }
    }

    /// Sets an account's fields, its storage left as it is.
    pub fn set_account(&mut self, address: Address, account: Account) {
        self.accounts.insert(address, account);
    }

    /// Sets a storage slot; zero removes it.
    pub fn set_storage(&mut self, address: Address, slot: U256, value: U256) {
        if value.is_zero() {
            self.storage.remove(&(address, slot));
        } else {
            self.storage.insert((address, slot), value);
        }
    }

    /// Removes an account. Its storage is left: see [`MemoryStore::clear_storage`].
    pub fn remove_account(&mut self, address: Address) {
        self.accounts.remove(&address);
    }

    /// Sets all of an account's storage slots to zero.
    pub fn clear_storage(&mut self, address: Address) {
        self.storage.retain(|(owner, _), _| *owner != address);
    }

    /// Removes accounts with neither balance, nonce, code nor storage, which do not come into being from EIP-161 on. Those
    /// stay that are known to exist: from before.
    pub fn remove_empty_accounts(&mut self, exists: impl Fn(Address) -> bool) {
        let is_empty = |account: &Account| *account == Account::default();
        if self.accounts.values().any(is_empty) {
            let owners: AddressSet = self.storage.keys().map(|(owner, _)| *owner).collect();
            self.accounts.retain(|address, account| {
                !is_empty(account) || owners.contains(address) || exists(*address)
            });
        }
    }

    /// Adds a code and returns its hash. A pool shared with other stores is left as it is.
    pub fn add_code(&mut self, code: Bytes) -> B256 {
        if code.is_empty() {
            return KECCAK256_EMPTY;
        }
        let hash = keccak256(&code);
        Arc::make_mut(&mut self.codes).insert(hash, code);
        hash
    }

    /// Sets BLOCKHASH's answer for `number`.
    pub fn set_block_hash(&mut self, number: u64, hash: B256) {
        self.block_hashes.insert(number, hash);
    }

    /// The pool of codes.
    pub fn codes(&self) -> &Arc<HashMap<B256, Bytes>> {
        &self.codes
    }

    /// All slots that are not zero, with their accounts and values, in no order.
    pub fn slots(&self) -> impl Iterator<Item = (Address, U256, U256)> {
        self.storage.iter().map(|((address, slot), value)| (*address, *slot, *value))
    }

    /// Accounts with storage, but neither nonce nor code, each with one of its slots: nothing can be created there
    /// (EIP-7610). In no order; accounts occur as often as they have slots.
    pub fn occupied(&self) -> impl Iterator<Item = (Address, U256)> {
        self.storage.keys().copied().filter(|(address, _)| {
            let account = self.accounts.get(address);
            account.is_some_and(|account| account.nonce == 0 && account.code_hash == KECCAK256_EMPTY)
        })
    }

    /// All accounts, in no order.
    pub fn accounts(&self) -> impl Iterator<Item = (&Address, &Account)> {
        self.accounts.iter()
    }
}

impl Store for MemoryStore {
    type Error = MissingCode;

    fn account(&self, address: Address) -> Result<Option<Account>, MissingCode> {
        Ok(self.accounts.get(&address).copied())
    }

    fn storage(&self, address: Address, slot: U256) -> Result<U256, MissingCode> {
        Ok(self.storage.get(&(address, slot)).copied().unwrap_or_default())
    }

    fn code(&self, hash: B256) -> Result<Bytes, MissingCode> {
        if hash == KECCAK256_EMPTY {
            return Ok(Bytes::new());
        }
        self.codes.get(&hash).cloned().ok_or(MissingCode(hash))
    }

    fn block_hash(&self, number: u64) -> Result<B256, MissingCode> {
        Ok(self.block_hashes.get(&number).copied().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADDRESS: Address = Address::repeat_byte(1);

    #[test]
    fn what_is_not_there_reads_as_empty() {
        let store = MemoryStore::new();
        assert_eq!(store.account(ADDRESS), Ok(None));
        assert_eq!(store.storage(ADDRESS, U256::ONE), Ok(U256::ZERO));
        assert_eq!(store.block_hash(1), Ok(B256::ZERO));
        assert_eq!(store.code(KECCAK256_EMPTY), Ok(Bytes::new()));
    }

    #[test]
    fn an_unknown_code_is_an_error() {
        let hash = B256::repeat_byte(2);
        assert_eq!(MemoryStore::new().code(hash), Err(MissingCode(hash)));
    }

    #[test]
    fn a_slot_set_to_zero_is_as_if_never_set() {
        let mut store = MemoryStore::new();
        store.set_storage(ADDRESS, U256::ONE, U256::from(5));
        assert_eq!(store.storage(ADDRESS, U256::ONE), Ok(U256::from(5)));
        store.set_storage(ADDRESS, U256::ONE, U256::ZERO);
        assert_eq!(store, MemoryStore::new());
    }

    #[test]
    fn an_account_keeps_its_storage_when_it_is_set_anew() {
        let mut store = MemoryStore::new();
        store.set_storage(ADDRESS, U256::ONE, U256::from(5));
        store.set_account(ADDRESS, Account { nonce: 3, ..Account::default() });
        assert_eq!(store.account(ADDRESS).unwrap().unwrap().nonce, 3);
        assert_eq!(store.storage(ADDRESS, U256::ONE), Ok(U256::from(5)));
    }

    #[test]
    fn empty_accounts_are_removed_unless_they_have_storage() {
        let mut store = MemoryStore::new();
        let [empty, stored, rich, old] = [1, 2, 3, 4].map(Address::repeat_byte);
        for address in [empty, stored, old] {
            store.set_account(address, Account::default());
        }
        store.set_account(rich, Account { balance: U256::ONE, ..Account::default() });
        store.set_storage(stored, U256::ONE, U256::ONE);
        store.remove_empty_accounts(|address| address == old);
        assert_eq!(store.account(old), Ok(Some(Account::default())));
        assert_eq!(store.account(empty), Ok(None));
        assert_eq!(store.account(stored), Ok(Some(Account::default())));
        assert!(store.account(rich).unwrap().is_some());
    }

    #[test]
    fn adding_a_code_leaves_the_shared_pool_alone() {
        let pool = Arc::new(HashMap::default());
        let mut store = MemoryStore::with_codes(Arc::clone(&pool));
        let code = Bytes::from_static(&[0x60, 0x01]);
        let hash = store.add_code(code.clone());
        assert_eq!(store.code(hash), Ok(code));
        assert!(pool.is_empty());
        assert_eq!(store.add_code(Bytes::new()), KECCAK256_EMPTY);
    }
}
