use super::counter::Counter;
use super::limits::CacheLimits;
use super::stats::{CacheStats, HitCount};
use crate::changes::StateChanges;
use crate::store::Account;
use alloy_primitives::{Address, B256, Bytes, U256, map::HashMap};
use quick_cache::{Weighter, sync::Cache};

/// Values read from a [`Store`](crate::Store), kept from state to state.
///
/// # Coherence
///
/// 1. At any time the cache answers for one state: that of the store it is put in front of. Absence there is
///    cached, too.
/// 2. [`Self::apply`] moves it to the next state. It takes the cache exclusively, so that all readers of the one state
///    have ended before and readers of the next begin after it. The store given to [`Self::over`] from then on must
///    answer for the next state.
/// 3. [`Self::clear`] empties the cache, after which it may be put in front of any store. It is needed whenever the
///    state moves other than by changes that are applied, as when blocks are taken back.
#[derive(Debug)]
pub struct ReadCache {
    accounts: Lookups<Cache<Address, Option<Account>>>,
    slots: Lookups<Cache<SlotKey, U256>>,
    codes: Lookups<Cache<B256, Bytes, CodeBytes>>,
    /// How often the storage of an account was wiped; zero if it is not here. Slots are cached under this number, so
    /// that a wipe leaves none of them reachable and need not look for them.
    generations: HashMap<Address, u32>,
}

/// A cache and counts of the reads from it.
#[derive(Debug)]
struct Lookups<C> {
    cache: C,
    reads: Counter,
    misses: Counter,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct SlotKey {
    address: Address,
    generation: u32,
    slot: U256,
}

/// Weighs a code by its length.
#[derive(Clone, Debug)]
struct CodeBytes;

impl Weighter<B256, Bytes> for CodeBytes {
    fn weight(&self, _: &B256, code: &Bytes) -> u64 {
        // The rest is key, reference and the cache's own bookkeeping.
        code.len() as u64 + 128
    }
}

/// Wiped accounts that are remembered at most; then all slots are forgotten instead.
const MAX_GENERATIONS: usize = 1 << 16;
/// Bytes of a code, for the size of the table.
const TYPICAL_CODE: u64 = 6 << 10;

impl ReadCache {
    /// An empty cache.
    pub fn new(limits: CacheLimits) -> Self {
        let codes = (limits.code_bytes / TYPICAL_CODE) as usize;
        Self {
            accounts: Lookups::new(Cache::new(limits.accounts)),
            slots: Lookups::new(Cache::new(limits.slots)),
            codes: Lookups::new(Cache::with_weighter(codes, limits.code_bytes, CodeBytes)),
            generations: HashMap::default(),
        }
    }

    /// Moves the cache to the state after a block. Blocks are applied in order, none left out.
    ///
    /// Changed values are cached even if they were not before: a changed value is likely to be read again.
    pub fn apply(&mut self, changes: &StateChanges) {
        for (hash, code) in &changes.codes {
            self.codes.cache.insert(*hash, code.clone());
        }
        for (address, change) in &changes.accounts {
            // Where there was no account there is no slot but zero in the cache, and zero remains right.
            let was_absent = matches!(change.fields, Some((None, _)));
            if change.storage_wiped && !was_absent {
                self.forget_slots(*address);
            }
            if let Some((_, account)) = change.fields {
                self.accounts.cache.insert(*address, account);
            }
            for (slot, (_, value)) in &change.storage {
                self.slots.cache.insert(self.slot_key(*address, *slot), *value);
            }
        }
    }

    /// Forgets everything but the codes, which are what they are in every state.
    pub fn clear(&mut self) {
        self.accounts.cache.clear();
        self.slots.cache.clear();
        self.generations.clear();
    }

    /// Hits and misses so far.
    pub fn stats(&self) -> CacheStats {
        CacheStats { accounts: self.accounts.hits(), slots: self.slots.hits(), codes: self.codes.hits() }
    }

    pub(super) fn account<E>(
        &self,
        address: Address,
        read: impl FnOnce() -> Result<Option<Account>, E>,
    ) -> Result<Option<Account>, E> {
        let key = address.0[19];
        self.accounts.reads.add(key);
        self.accounts.cache.get_or_insert_with(&address, || {
            self.accounts.misses.add(key);
            read()
        })
    }

    pub(super) fn slot<E>(
        &self,
        address: Address,
        slot: U256,
        read: impl FnOnce() -> Result<U256, E>,
    ) -> Result<U256, E> {
        // Slots of mappings differ in all bytes, those of plain variables in the lowest.
        let key = address.0[19] ^ slot.byte(0);
        self.slots.reads.add(key);
        self.slots.cache.get_or_insert_with(&self.slot_key(address, slot), || {
            self.slots.misses.add(key);
            read()
        })
    }

    pub(super) fn code<E>(&self, hash: B256, read: impl FnOnce() -> Result<Bytes, E>) -> Result<Bytes, E> {
        let key = hash[31];
        self.codes.reads.add(key);
        self.codes.cache.get_or_insert_with(&hash, || {
            self.codes.misses.add(key);
            read()
        })
    }

    fn slot_key(&self, address: Address, slot: U256) -> SlotKey {
        let generation = self.generations.get(&address).copied().unwrap_or(0);
        SlotKey { address, generation, slot }
    }

    /// Leaves no slot of this account in reach.
    fn forget_slots(&mut self, address: Address) {
        if self.generations.len() >= MAX_GENERATIONS {
            self.slots.cache.clear();
            self.generations.clear();
        }
        *self.generations.entry(address).or_insert(0) += 1;
    }
}

impl<C> Lookups<C> {
    fn new(cache: C) -> Self {
        Self { cache, reads: Counter::default(), misses: Counter::default() }
    }

    fn hits(&self) -> HitCount {
        let misses = self.misses.sum();
        HitCount { hits: self.reads.sum().saturating_sub(misses), misses }
    }
}
