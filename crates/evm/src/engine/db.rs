use super::kept::Content;
use super::ledger::{Access, ChangedSlot, Ledger};
use super::location::{AccountState, EvmState, Key, Observed, Value};
use super::pools::Pools;
use super::round_base::RoundBase;
use crate::code;
use crate::protocol::collisions::StorageCollisions;
use crate::state::{Base, StoreError};
use alloy_primitives::{Address, B256, U256};
use revm::bytecode::Bytecode;
use revm::database_interface::Database;
use revm::primitives::{StorageKey, StorageValue};
use revm::state::{Account, AccountId, AccountInfo};
use std::convert::Infallible;
use std::sync::Arc;
use tandem_stm::{EntryId, Read, Sighting, View};

/// The state as revm sees it: one worker's view, with a record of what was loaded.
pub(crate) struct Db<'r> {
    pub(crate) view: View<'r, EvmState>,
    pub(crate) ledger: Ledger,
    base: RoundBase<'r>,
    world: u32,
    /// Accounts that are in the way of creations (EIP-7610), if the block has any.
    pub(crate) collisions: Option<Arc<StorageCollisions>>,
    /// Whether codes can be delegations (EIP-7702).
    pub(crate) delegates: bool,
    /// Scratch: accounts on their way from the store.
    fetched: Vec<(Address, Option<Value>)>,
    /// The key that was last resolved, and its entry.
    last_resolved: Option<(Key, EntryId)>,
    pub(crate) content: Content,
}

impl<'r> Db<'r> {
    pub(crate) fn new(view: View<'r, EvmState>, pools: &'r Pools<'r>) -> Self {
        let mut content = pools.spare.take();
        Self {
            view,
            ledger: content.take_ledger(),
            base: RoundBase::new(pools),
            world: 0,
            collisions: None,
            delegates: false,
            fetched: Vec::new(),
            last_resolved: None,
            content,
        }
    }

    /// Keeps what it knows, and its buffers, for later streams.
    pub(super) fn leave(&mut self, memory: Vec<u8>) {
        let mut content = std::mem::take(&mut self.content);
        content.keep_buffers(std::mem::take(&mut self.ledger), memory);
        self.base.pools.spare.keep(content);
    }

    /// Prepares for a run of steps on the given base state. `notes_loads`: see [`Ledger::notes_loads`].
    pub(crate) fn begin(&mut self, store: &'r Base<'r>, world: u32, notes_loads: bool) {
        self.base.set_store(store);
        self.world = world;
        self.ledger.begin(notes_loads);
    }

    /// Brings accounts into the view that the stream has not met. First all are looked up, then all are read, then all are
    /// entered, since only look-ups that do not depend on one another wait for memory together.
    pub(crate) fn fetch(
        &mut self,
        store: &'r Base<'r>,
        world: u32,
        addresses: impl Iterator<Item = Address>,
    ) {
        self.base.set_store(store);
        self.world = world;
        let mut fetched = std::mem::take(&mut self.fetched);
        let unknown = addresses.filter(|address| !self.view.knows(&self.account_key(*address)));
        fetched.extend(unknown.map(|address| (address, None)));
        for (address, value) in &mut fetched {
            // A read that fails will fail again for the step that needs it, which then tells.
            *value = self.base.value(&self.account_key(*address)).ok();
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

    /// The entry of an account, for an effect on it without reading it. Nearly always the beneficiary's.
    pub(crate) fn resolve(&mut self, address: Address) -> Result<EntryId, StoreError> {
        let key = self.account_key(address);
        if let Some((last, entry)) = self.last_resolved
            && last == key
        {
            return Ok(entry);
        }
        let Self { view, base, .. } = self;
        let entry = view.resolve(&key, || base.value(&key))?;
        self.last_resolved = Some((key, entry));
        Ok(entry)
    }

    /// Reads an account.
    pub(crate) fn load(&mut self, address: Address) -> Result<(AccountState, Sighting), StoreError> {
        let key = self.account_key(address);
        let Self { view, base, .. } = self;
        let read = view.read(&key, || base.value(&key))?;
        let mut seen = read.value.account();
        if self.view.is_speculative() && seen.balance.bit(255) {
            // More was taken out than there was: some effect in between is not known yet.
            seen.balance = U256::ZERO;
            return Ok((seen, read.sighting.predicted()));
        }
        Ok((seen, read.sighting))
    }

    /// The index of the access of an account that the journal does not hold. Loads it if need be.
    pub(crate) fn find_or_load(&mut self, address: Address) -> Result<usize, StoreError> {
        if let Some(index) = self.ledger.find(address) {
            return Ok(index);
        }
        self.ledger.has_unjournaled = true;
        self.add(address)
    }

    /// Adds an account that the run has not loaded. Gives its index.
    fn add(&mut self, address: Address) -> Result<usize, StoreError> {
        let access = Access::new(address, self.load(address)?);
        self.ledger.accounts.push(access);
        // Whether its storage is still there, later steps should see from the state that this one leaves.
        self.ledger.run_must_end |= self.collides(address);
        Ok(self.ledger.accounts.len() - 1)
    }

    /// Whether the account is in the way of creations.
    fn collides(&self, address: Address) -> bool {
        self.collisions.as_ref().is_some_and(|collisions| collisions.contains(&address))
    }

    /// An account as the run found it, without a note of it.
    fn account(&mut self, address: Address) -> Result<AccountState, StoreError> {
        let key = self.account_key(address);
        let Self { view, base, .. } = self;
        Ok(view.value(&key, || base.value(&key))?.account())
    }

    /// A slot as the run found it, without a note of it.
    fn slot(&mut self, address: Address, generation: u64, slot: U256) -> Result<U256, StoreError> {
        let key = self.slot_key(address, generation, slot);
        let Self { view, base, .. } = self;
        Ok(view.value(&key, || base.value(&key))?.slot())
    }
}

/// What the journal calls an account that is read without a note.
const UNNOTED: usize = 0;

/// An account as the journal takes it. It has no name for one that is absent.
fn info(account: AccountState, name: Option<usize>) -> Option<AccountInfo> {
    let AccountState { balance, nonce, code_hash, exists, .. } = account;
    let account_id = name.and_then(AccountId::new);
    exists.then_some(AccountInfo { balance, nonce, code_hash, account_id, code: None })
}

impl Database for Db<'_> {
    type Error = StoreError;

    fn basic(&mut self, address: Address) -> Result<Option<AccountInfo>, Self::Error> {
        let known = self.ledger.find(address);
        if known.is_none() && self.ledger.needs_no_note(address) && !self.collides(address) {
            let account = self.account(address)?;
            return Ok(info(account, self.name_of(UNNOTED, account.generation)));
        }
        let index = match known {
            Some(index) => index,
            None => self.add(address)?,
        };
        let is_journals = self.ledger.enter_journal(index);
        // The journal may hold something newer.
        if !is_journals && self.view.is_continued() {
            return Err(StoreError::BehindJournal);
        }
        let access = &self.ledger.accounts[index];
        let (balance, nonce) = access.now;
        let account = AccountState { balance, nonce, exists: access.exists(), ..access.seen };
        Ok(info(account, self.name_of(index, account.generation)))
    }

    fn code_by_hash(&mut self, code_hash: B256) -> Result<Bytecode, Self::Error> {
        if let Some(code) = self.content.code(&code_hash) {
            return Ok(code::under_rules(code, self.delegates));
        }
        let created = self.base.pools.codes.read().get(&code_hash).cloned();
        let code = match created {
            Some(code) => code,
            None => self.base.store().code(code_hash)?,
        };
        let executed = code::under_rules(&code, self.delegates);
        self.content.keep_code(code_hash, code);
        Ok(executed)
    }

    /// A read behind the journal would miss what earlier steps of a run have stored: the run is executed again without this step.
    fn storage(&mut self, address: Address, slot: StorageKey) -> Result<StorageValue, Self::Error> {
        if !self.ledger.notes_loads {
            let generation = match self.ledger.access(address) {
                Some(access) => access.seen.generation,
                None => self.account(address)?.generation,
            };
            return self.slot(address, generation, slot);
        }
        if !self.ledger.is_journals_read(address, slot) && self.view.is_continued() {
            return Err(StoreError::BehindJournal);
        }
        let index = self.find_or_load(address)?;
        self.read_slot(index, address, slot)
    }

    fn storage_by_account_id(
        &mut self,
        address: Address,
        account_id: AccountId,
        slot: StorageKey,
    ) -> Result<StorageValue, Self::Error> {
        if self.ledger.notes_loads {
            self.read_slot(account_id.get(), address, slot)
        } else {
            self.slot(address, 0, slot)
        }
    }

    fn block_hash(&mut self, number: u64) -> Result<B256, Self::Error> {
        let known = self.base.pools.block_hashes.read().get(&(self.world, number)).copied();
        known.map_or_else(|| self.base.store().block_hash(number), Ok)
    }
}

impl Db<'_> {
    /// A slot of an account that the run has loaded, as its steps before this one found it.
    pub(crate) fn slot_of_base(&mut self, address: Address, slot: U256) -> Result<U256, StoreError> {
        match self.ledger.find(address) {
            Some(index) => self.read_slot(index, address, slot),
            None => self.storage(address, slot),
        }
    }

    fn read_slot(&mut self, index: usize, address: Address, slot: U256) -> Result<StorageValue, StoreError> {
        let access = &mut self.ledger.accounts[index];
        access.storage = true;
        let generation = access.seen.generation;
        if !self.ledger.notes_loads {
            return self.slot(address, generation, slot);
        }
        let key = self.slot_key(address, generation, slot);
        let Self { view, base, .. } = self;
        let Read { value, sighting } = view.read(&key, || base.value(&key))?;
        let seen = value.slot();
        self.view.observe(sighting, Observed::Slot(seen));
        Ok(seen)
    }

    /// What the journal calls an account: the index of its [`Access`] if that notes reads of its slots. Without notes it has a name if its
    /// storage was never wiped.
    fn name_of(&self, index: usize, generation: u64) -> Option<usize> {
        if self.ledger.notes_loads { Some(index) } else { (generation == 0).then_some(UNNOTED) }
    }

    /// Notes an account that the journal holds and the transaction that ends may have changed, unless the ledger has it.
    pub(crate) fn note_account(&mut self, address: Address, account: &Account) {
        if self.ledger.notes_loads
            || self.ledger.changed_accounts.contains_key(&address)
            || self.ledger.find(address).is_some()
        {
            return;
        }
        // Before the transaction it was as the run found it: it is noted the first time that one may change it.
        let AccountInfo { balance, nonce, code_hash, .. } = account.original_info();
        let exists = !account.is_loaded_as_not_existing();
        let found = Value::Account(AccountState { balance, nonce, code_hash, exists, generation: 0 });
        let key = self.account_key(address);
        // The journal does not know of generations.
        let found = || Ok::<_, Infallible>(self.base.retired(&key).unwrap_or(found));
        let Ok(entry) = self.view.resolve(&key, found);
        self.ledger.changed_accounts.insert(address, self.ledger.changed.len());
        self.ledger.changed.push((address, entry));
    }

    /// Notes a slot that the transaction that ends has changed, of an account that the ledger has, and its value before that. Nothing is
    /// noted twice.
    pub(crate) fn note_slot(&mut self, address: Address, slot: U256, before: U256) {
        if !self.ledger.changed_slots.insert((address, slot)) {
            return;
        }
        let generation = match self.ledger.changed_accounts.get(&address) {
            Some(index) => self.view.read_entry(self.ledger.changed[*index].1).value.account().generation,
            None => self.ledger.access(address).map_or(0, |access| access.seen.generation),
        };
        let key = self.slot_key(address, generation, slot);
        let Ok(entry) = self.view.resolve(&key, || Ok::<_, Infallible>(Value::Slot(before)));
        self.ledger.slots.push(ChangedSlot { address, slot, before, entry });
    }
}
