use crate::base::{Base, StoreError};
use crate::code;
use crate::kept::{Content, SpareContent};
use crate::location::{AccountState, EvmState, Key, Value};
use crate::occupied::Occupied;
use crate::trace::Notes;
use alloy_primitives::map::{AddressMap, B256Map};
use alloy_primitives::{Address, B256, KECCAK256_EMPTY, U256};
use parking_lot::RwLock;
use revm::bytecode::Bytecode;
use revm::database_interface::Database;
use revm::primitives::{StorageKey, StorageValue};
use revm::state::{Account, AccountId, AccountInfo, AccountStatus};
use std::convert::Infallible;
use std::sync::Arc;
use tandem_stm::{EntryId, Sighting, View};

/// From this many accounts on, an access is found by hash instead of by search.
const SEARCH_LIMIT: usize = 16;

/// Codes that the stream has met and hashes of its blocks: content that needs no version.
#[derive(Debug)]
pub(crate) struct Pools<'e> {
    /// Codes by hash, created or come with accounts of the store. Speculation may add codes that never become final; nobody names them
    /// then.
    pub(crate) codes: RwLock<B256Map<Bytecode>>,
    /// Hash of each block's parent, by world and the parent's number.
    pub(crate) block_hashes: RwLock<alloy_primitives::map::HashMap<(u32, u64), B256>>,
    spare: &'e SpareContent,
}

impl<'e> Pools<'e> {
    pub(crate) fn new(spare: &'e SpareContent) -> Self {
        Self { codes: RwLock::default(), block_hashes: RwLock::default(), spare }
    }

    /// Takes in a code that came with an account: of the store, or just created.
    pub(crate) fn add_code(&self, code_hash: B256, code: &Bytecode) {
        if !self.codes.read().contains_key(&code_hash) {
            self.codes.write().entry(code_hash).or_insert_with(|| code.clone());
        }
    }
}

/// An account that the step being executed has loaded, and what it relied on so far.
#[derive(Debug)]
pub(crate) struct Access {
    pub(crate) address: Address,
    pub(crate) sighting: Sighting,
    /// What the EVM was shown. Differs from what was read only in what was predicted or cannot be negative.
    pub(crate) seen: AccountState,
    /// The balance was seen as such.
    pub(crate) balance: bool,
    /// The nonce was seen or predicted.
    pub(crate) nonce: bool,
    /// Existence was seen.
    pub(crate) exists: bool,
    /// Storage was read, or its being empty was relied on.
    pub(crate) storage: bool,
    /// The least that was left of the balance after any outflow that was checked, reverted ones too.
    pub(crate) slack: Option<U256>,
    /// Number of checks that `slack` comes from.
    pub(crate) checks: u32,
    /// Balance and nonce as transfers left them that did without the journal. What the journal has loaded is there.
    pub(crate) now: (U256, u64),
    /// Whether an earlier transaction of the run touched it, without the journal showing that: by a plain transfer, by a credit
    /// before it was loaded, or so that it ceased to exist.
    pub(crate) touched: bool,
}

impl Access {
    /// What was read of an account, nothing of which is relied on yet but its code.
    fn new(address: Address, (seen, sighting): (AccountState, Sighting)) -> Self {
        Self {
            address,
            sighting,
            seen,
            balance: false,
            nonce: false,
            exists: false,
            storage: false,
            slack: None,
            checks: 0,
            now: (seen.balance, seen.nonce),
            touched: false,
        }
    }

    /// Whether the account exists after the transactions of the run that did without the journal. Runs of several transactions there
    /// are only since EIP-161, so what they touched and left empty is gone.
    fn exists(&self) -> bool {
        let (balance, nonce) = self.now;
        let is_empty = balance.is_zero() && nonce == 0 && !self.seen.has_code();
        !is_empty || (self.seen.exists && !self.touched)
    }

    /// Adds to the balance. What overflows is dropped, as the EVM does.
    fn credit(&mut self, amount: U256) {
        self.now.0 = self.now.0.checked_add(amount).unwrap_or(self.now.0);
        self.touched = true;
    }

    /// Takes a nonce for the account's that differs from what was read, unless something relies on that already. Whether it did.
    pub(crate) fn predict_nonce(&mut self, nonce: u64) -> bool {
        let free = !self.nonce && self.now.1 == self.seen.nonce && nonce != self.seen.nonce;
        if free {
            self.seen.nonce = nonce;
            self.now.1 = nonce;
            self.sighting = self.sighting.predicted();
        }
        free
    }

    /// Notes that `left` would be left of the balance after an outflow that was found to be covered.
    pub(crate) fn rely_on_funds(&mut self, left: U256) {
        self.slack = Some(self.slack.map_or(left, |slack| slack.min(left)));
        self.checks += 1;
    }
}

/// A slot that the step being executed has loaded.
#[derive(Debug)]
pub(crate) struct SlotAccess {
    /// Index of the account's [`Access`].
    pub(crate) account: usize,
    pub(crate) slot: U256,
    pub(crate) seen: U256,
    pub(crate) sighting: Sighting,
}

/// A SELFDESTRUCT that moved a whole balance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sweep {
    pub(crate) source: Address,
    pub(crate) target: Address,
    /// The balance moved, in wei.
    pub(crate) amount: U256,
    /// The target's [`Access::checks`] right after the move.
    pub(crate) target_checks: u32,
}

/// The state as revm sees it: one worker's view, with a record of what was loaded.
pub(crate) struct Db<'r, 's> {
    pub(crate) view: View<'r, EvmState>,
    pools: &'r Pools<'s>,
    store: Option<&'s Base<'s>>,
    world: u32,
    pub(crate) accounts: Vec<Access>,
    pub(crate) slots: Vec<SlotAccess>,
    /// Addresses at which a contract was to be created.
    pub(crate) creations: Vec<Address>,
    /// SELFDESTRUCTs, in order, reverted ones too.
    pub(crate) sweeps: Vec<Sweep>,
    /// Credits to accounts that the run has not loaded.
    pub(crate) credits: Vec<(Address, U256)>,
    /// How many of them are of earlier steps of the run.
    pub(crate) earlier_credits: usize,
    /// Addresses whose accounts have storage, but neither nonce nor code (EIP-7610).
    pub(crate) occupied: Arc<Occupied>,
    /// Whether codes can be delegations (EIP-7702).
    pub(crate) delegates: bool,
    /// What a trace wants to know besides, if there is one.
    pub(crate) notes: Option<Notes>,
    /// Index into `accounts`, filled once there are many.
    by_address: AddressMap<usize>,
    /// Whether some of `accounts` are there that the journal has not loaded.
    loose: bool,
    /// Whether the run had better end: something was destroyed, or may have been, and a run tells of each account once.
    pub(crate) closed: bool,
    /// Scratch: accounts on their way from the store.
    fetched: Vec<(Address, Option<Value>)>,
    /// The key that was last resolved, and its entry.
    last_resolved: Option<(Key, EntryId)>,
    pub(crate) content: Content,
}

impl<'r, 's> Db<'r, 's> {
    pub(crate) fn new(view: View<'r, EvmState>, pools: &'r Pools<'s>) -> Self {
        Self {
            view,
            pools,
            store: None,
            world: 0,
            accounts: Vec::new(),
            slots: Vec::new(),
            creations: Vec::new(),
            sweeps: Vec::new(),
            credits: Vec::new(),
            earlier_credits: 0,
            occupied: Arc::default(),
            delegates: false,
            notes: None,
            by_address: AddressMap::default(),
            loose: false,
            closed: false,
            fetched: Vec::new(),
            last_resolved: None,
            content: pools.spare.take(),
        }
    }

    /// Prepares for a run of steps on the given base state.
    pub(crate) fn begin(&mut self, store: &'s Base<'s>, world: u32) {
        self.store = Some(store);
        self.world = world;
        self.accounts.clear();
        self.slots.clear();
        self.creations.clear();
        self.sweeps.clear();
        self.credits.clear();
        self.earlier_credits = 0;
        self.loose = false;
        self.closed = false;
        if let Some(notes) = &mut self.notes {
            notes.stores.clear();
            notes.hashed.clear();
        }
        if !self.by_address.is_empty() {
            self.by_address.clear();
        }
    }

    /// Brings accounts into the view that the stream has not met. First all are looked up, then all are read, then all are
    /// entered, since only look-ups that do not depend on one another wait for memory together.
    pub(crate) fn fetch(
        &mut self,
        store: &'s Base<'s>,
        world: u32,
        addresses: impl Iterator<Item = Address>,
    ) {
        self.world = world;
        let mut fetched = std::mem::take(&mut self.fetched);
        let unknown = addresses.filter(|address| !self.view.knows(&self.account_key(*address)));
        fetched.extend(unknown.map(|address| (address, None)));
        for (address, value) in &mut fetched {
            // A read that fails will fail again for the step that needs it, which then tells.
            *value = Self::base_account(self.pools, store, *address).ok();
        }
        for (address, value) in fetched.drain(..) {
            if let Some(value) = value {
                let _ = self.view.resolve(&self.account_key(address), || Ok::<_, Infallible>(value));
            }
        }
        self.fetched = fetched;
    }

    /// Whether observations matter.
    pub(crate) fn is_recording(&self) -> bool {
        self.view.is_recording()
    }

    pub(crate) fn account_key(&self, address: Address) -> Key {
        Key::Account { world: self.world, address }
    }

    pub(crate) fn slot_key(&self, address: Address, generation: u64, slot: U256) -> Key {
        Key::Slot { world: self.world, address, generation, slot }
    }

    fn store(&self) -> &'s Base<'s> {
        self.store.expect("a step begins with its store")
    }

    /// What the base state holds of an account.
    fn base_account(pools: &Pools<'s>, store: &Base<'s>, address: Address) -> Result<Value, StoreError> {
        let Some(info) = store.account(address)? else {
            return Ok(Value::Account(AccountState::ABSENT));
        };
        // Some stores say so that there is no code.
        let code_hash = if info.code_hash.is_zero() { KECCAK256_EMPTY } else { info.code_hash };
        if let Some(code) = info.code
            && code_hash != KECCAK256_EMPTY
        {
            pools.add_code(code_hash, &code);
        }
        let AccountInfo { balance, nonce, .. } = info;
        Ok(Value::Account(AccountState { balance, nonce, code_hash, exists: true, generation: 0 }))
    }

    /// The entry of an account, for an effect on it without reading it. Nearly always the beneficiary's.
    pub(crate) fn resolve(&mut self, address: Address) -> Result<EntryId, StoreError> {
        let key = self.account_key(address);
        if let Some((last, entry)) = self.last_resolved
            && last == key
        {
            return Ok(entry);
        }
        let (pools, store) = (self.pools, self.store());
        let entry = self.view.resolve(&key, || Self::base_account(pools, store, address))?;
        self.last_resolved = Some((key, entry));
        Ok(entry)
    }

    /// Reads an account.
    pub(crate) fn load(&mut self, address: Address) -> Result<(AccountState, Sighting), StoreError> {
        let (pools, store) = (self.pools, self.store());
        let read =
            self.view.read(&self.account_key(address), || Self::base_account(pools, store, address))?;
        let mut seen = read.value.account();
        if self.view.is_speculative() && seen.balance.bit(255) {
            // More was taken out than there was: some effect in between is not known yet.
            seen.balance = U256::ZERO;
            return Ok((seen, read.sighting.predicted()));
        }
        Ok((seen, read.sighting))
    }

    /// The index of an account's access, if the step has loaded it.
    pub(crate) fn find(&mut self, address: Address) -> Option<usize> {
        if self.accounts.len() <= SEARCH_LIMIT {
            return self.accounts.iter().rposition(|access| access.address == address);
        }
        for index in self.by_address.len()..self.accounts.len() {
            self.by_address.insert(self.accounts[index].address, index);
        }
        self.by_address.get(&address).copied()
    }

    /// The index of the access of an account that the journal does not hold. Loads it if need be.
    pub(crate) fn find_or_load(&mut self, address: Address) -> Result<usize, StoreError> {
        if let Some(index) = self.find(address) {
            return Ok(index);
        }
        self.loose = true;
        self.add(address)
    }

    /// Notes that the transaction that ends has touched an account of the journal and leaves it empty, in a fork that has EIP-161:
    /// later transactions find no account there.
    pub(crate) fn depart(&mut self, address: Address, account: &mut Account) {
        account.unmark_touch();
        account.status |= AccountStatus::LoadedAsNotExisting;
        if let Some(access) = self.access(address) {
            access.touched = true;
        }
    }

    /// Adds what was credited to accounts without loading them to those that plain transfers have loaded meanwhile.
    pub(crate) fn fold_credits(&mut self) {
        if !self.loose {
            return;
        }
        let mut credits = std::mem::take(&mut self.credits);
        credits.retain(|(address, amount)| match self.access(*address) {
            Some(access) => {
                access.credit(*amount);
                false
            }
            None => true,
        });
        self.credits = credits;
    }

    /// Goes on to the next step of a run.
    pub(crate) fn proceed(&mut self) {
        self.earlier_credits = self.credits.len();
    }

    /// Adds an account that the run has not loaded. Gives its index.
    fn add(&mut self, address: Address) -> Result<usize, StoreError> {
        let access = Access::new(address, self.load(address)?);
        self.accounts.push(access);
        // Whether its storage is still there, later steps should see from the state that this one leaves.
        self.closed |= self.occupied.contains(&address);
        Ok(self.accounts.len() - 1)
    }

    /// The access of an account, if the step has loaded it.
    pub(crate) fn access(&mut self, address: Address) -> Option<&mut Access> {
        let index = self.find(address)?;
        self.accounts.get_mut(index)
    }

    /// Notes a SELFDESTRUCT.
    pub(crate) fn note_sweep(&mut self, source: Address, target: Address, amount: U256) {
        let target_checks = self.access(target).map_or(0, |access| access.checks);
        self.sweeps.push(Sweep { source, target, amount, target_checks });
    }

    /// Notes that `left` would be left of an account's balance after an outflow that was found to be covered.
    pub(crate) fn rely_on_funds(&mut self, address: Address, left: U256) {
        if let Some(access) = self.access(address) {
            access.rely_on_funds(left);
        }
    }
}

impl Drop for Db<'_, '_> {
    fn drop(&mut self) {
        self.pools.spare.keep(std::mem::take(&mut self.content));
    }
}

impl Database for Db<'_, '_> {
    type Error = StoreError;

    fn basic(&mut self, address: Address) -> Result<Option<AccountInfo>, Self::Error> {
        let index = match self.loose.then(|| self.find(address)).flatten() {
            Some(index) => index,
            None => self.add(address)?,
        };
        let access = &mut self.accounts[index];
        // From here on the journal keeps account of it.
        if !self.credits.is_empty() {
            self.credits.retain(|(credited, amount)| {
                let other = *credited != address;
                if !other {
                    access.credit(*amount);
                }
                other
            });
            self.earlier_credits = self.earlier_credits.min(self.credits.len());
        }
        let (balance, nonce) = access.now;
        Ok(access.exists().then(|| AccountInfo {
            balance,
            nonce,
            code_hash: access.seen.code_hash,
            account_id: AccountId::new(index),
            code: None,
        }))
    }

    fn code_by_hash(&mut self, code_hash: B256) -> Result<Bytecode, Self::Error> {
        if let Some(code) = self.content.code(&code_hash) {
            return Ok(code::under_rules(code, self.delegates));
        }
        let created = self.pools.codes.read().get(&code_hash).cloned();
        let code = match created {
            Some(code) => code,
            None => self.store().code(code_hash)?,
        };
        let executed = code::under_rules(&code, self.delegates);
        self.content.keep_code(code_hash, code);
        Ok(executed)
    }

    fn storage(&mut self, address: Address, slot: StorageKey) -> Result<StorageValue, Self::Error> {
        let index = match self.find(address) {
            Some(index) => index,
            None => {
                self.basic(address)?;
                self.accounts.len() - 1
            }
        };
        self.read_slot(index, address, slot)
    }

    fn storage_by_account_id(
        &mut self,
        address: Address,
        account_id: AccountId,
        slot: StorageKey,
    ) -> Result<StorageValue, Self::Error> {
        self.read_slot(account_id.get(), address, slot)
    }

    fn block_hash(&mut self, number: u64) -> Result<B256, Self::Error> {
        let known = self.pools.block_hashes.read().get(&(self.world, number)).copied();
        known.map_or_else(|| self.store().block_hash(number), Ok)
    }
}

impl Db<'_, '_> {
    fn read_slot(&mut self, index: usize, address: Address, slot: U256) -> Result<StorageValue, StoreError> {
        let store = self.store();
        let access = &mut self.accounts[index];
        access.storage = true;
        let generation = access.seen.generation;
        let key = self.slot_key(address, generation, slot);
        let read = self.view.read(&key, || {
            if generation != 0 {
                return Ok(Value::Slot(U256::ZERO));
            }
            store.slot(address, slot).map(Value::Slot)
        })?;
        let seen = read.value.slot();
        self.slots.push(SlotAccess { account: index, slot, seen, sighting: read.sighting });
        Ok(seen)
    }
}
