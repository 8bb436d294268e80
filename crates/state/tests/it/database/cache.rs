//! The read cache: it answers as the store would, asks it once, and follows the state from block to block.

use super::support::{disk::Disk, model::address, open, scenario::Scenario};
use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use std::{
    convert::Infallible,
    sync::{
        Barrier,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tandem_state::{
    Account, AccountChange, MemoryStore, StateChanges, Store,
    cache::{CacheLimits, HitCount, ReadCache},
};

/// A store that counts its reads, and takes its time.
#[derive(Debug, Default)]
struct Counting<S> {
    store: S,
    reads: AtomicU64,
    pause: Duration,
}

impl<S: Store> Counting<S> {
    fn new(store: S) -> Self {
        Self { store, reads: AtomicU64::new(0), pause: Duration::ZERO }
    }

    fn read<T>(&self, read: impl FnOnce(&S) -> T) -> T {
        self.reads.fetch_add(1, Ordering::Relaxed);
        std::thread::sleep(self.pause);
        read(&self.store)
    }
}

impl<S: Store> Store for Counting<S> {
    type Error = S::Error;

    fn account(&self, address: Address) -> Result<Option<Account>, S::Error> {
        self.read(|store| store.account(address))
    }

    fn storage(&self, address: Address, slot: U256) -> Result<U256, S::Error> {
        self.read(|store| store.storage(address, slot))
    }

    fn code(&self, hash: B256) -> Result<Bytes, S::Error> {
        self.read(|store| store.code(hash))
    }

    fn block_hash(&self, number: u64) -> Result<B256, S::Error> {
        self.store.block_hash(number)
    }
}

fn small() -> CacheLimits {
    CacheLimits { accounts: 1000, slots: 4000, code_bytes: 1 << 20 }
}

#[test]
fn each_value_is_read_once_even_if_it_is_absent() {
    let mut memory = MemoryStore::new();
    let hash = memory.add_code(Bytes::from_static(&[1, 2, 3]));
    memory.set_account(address(0), Account { nonce: 1, ..Account::default() });
    memory.set_storage(address(0), U256::ONE, U256::from(7));
    let store = Counting::new(memory);
    let cache = ReadCache::new(small());
    let cached = cache.over(&store);
    for _ in 0..3 {
        assert_eq!(cached.account(address(0)).unwrap().unwrap().nonce, 1);
        assert_eq!(cached.account(address(1)).unwrap(), None);
        assert_eq!(cached.storage(address(0), U256::ONE).unwrap(), U256::from(7));
        assert_eq!(cached.storage(address(0), U256::ZERO).unwrap(), U256::ZERO);
        assert_eq!(cached.code(hash).unwrap(), Bytes::from_static(&[1, 2, 3]));
    }
    assert_eq!(store.reads.into_inner(), 5);
    let stats = cache.stats();
    assert_eq!(stats.accounts, HitCount { hits: 4, misses: 2 });
    assert_eq!(stats.slots, HitCount { hits: 4, misses: 2 });
    assert_eq!(stats.codes, HitCount { hits: 2, misses: 1 });
}

#[test]
fn threads_that_miss_at_once_read_once() {
    let mut store = Counting::new(MemoryStore::new());
    store.pause = Duration::from_millis(50);
    let cache = ReadCache::new(small());
    let barrier = Barrier::new(4);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                barrier.wait();
                cache.over(&store).account(address(0)).unwrap();
            });
        }
    });
    assert_eq!(store.reads.into_inner(), 1);
}

#[test]
fn a_cache_of_no_size_asks_the_store() {
    let scenario = Scenario::new(50, 1, 1);
    let database = open(&Disk::default()).unwrap();
    scenario.load_genesis(&database);
    let mut cache = ReadCache::new(CacheLimits { accounts: 0, slots: 0, code_bytes: 0 });
    scenario.states[0].assert_read_by(&cache.over(&database.snapshot().unwrap()));
    cache.apply(&scenario.changes[0]);
    database.commit(&scenario.batches[0]).unwrap();
    scenario.states[1].assert_read_by(&cache.over(&database.snapshot().unwrap()));
}

#[test]
fn an_error_is_not_cached() {
    let cache = ReadCache::new(small());
    let empty = MemoryStore::new();
    let hash = keccak256([1]);
    cache.over(&empty).code(hash).unwrap_err();
    let mut full = MemoryStore::new();
    full.add_code(Bytes::from_static(&[1]));
    assert_eq!(cache.over(&full).code(hash).unwrap(), Bytes::from_static(&[1]));
}

#[test]
fn a_cache_that_follows_a_chain_answers_as_the_database() {
    for seed in 0..8 {
        let scenario = Scenario::new(seed, 30, 1);
        let database = open(&Disk::default()).unwrap();
        scenario.load_genesis(&database);
        // Small enough that values are evicted all the time, or large enough that none is.
        let limits =
            if seed % 2 == 0 { CacheLimits { accounts: 8, slots: 60, code_bytes: 2000 } } else { small() };
        let mut cache = ReadCache::new(limits);
        for (number, (batch, changes)) in scenario.batches.iter().zip(&scenario.changes).enumerate() {
            let snapshot = database.snapshot().unwrap();
            // Not everything is read before each block.
            if number % 3 != 0 {
                scenario.states[number].assert_read_by(&cache.over(&snapshot));
            }
            cache.apply(changes);
            database.commit(batch).unwrap();
        }
        scenario.states.last().unwrap().assert_read_by(&cache.over(&database.snapshot().unwrap()));
    }
}

#[test]
fn changes_are_cached_without_a_read() {
    let scenario = Scenario::new(20, 1, 1);
    let mut cache = ReadCache::new(small());
    cache.apply(&scenario.changes[0]);
    let store = Counting::new(MemoryStore::new());
    let cached = cache.over(&store);
    for (address, change) in &scenario.changes[0].accounts {
        if let Some((_, after)) = change.fields {
            assert_eq!(cached.account(*address).unwrap(), after);
        }
        for (slot, (_, value)) in &change.storage {
            assert_eq!(cached.storage(*address, *slot).unwrap(), *value);
        }
    }
    assert_eq!(store.reads.into_inner(), 0);
}

#[test]
fn a_wiped_storage_is_read_anew() {
    let mut memory = MemoryStore::new();
    let account = Account { nonce: 1, ..Account::default() };
    for slot in 1..=3 {
        memory.set_storage(address(0), U256::from(slot), U256::from(slot));
        memory.set_storage(address(1), U256::from(slot), U256::from(slot));
    }
    let mut cache = ReadCache::new(small());
    let read = |cache: &ReadCache, memory: &MemoryStore, owner, slot: u64| -> Result<U256, Infallible> {
        Ok(cache.over(memory).storage(address(owner), U256::from(slot)).unwrap())
    };
    for slot in 1..=3 {
        assert_eq!(read(&cache, &memory, 0, slot), Ok(U256::from(slot)));
        assert_eq!(read(&cache, &memory, 1, slot), Ok(U256::from(slot)));
    }
    for round in 0..3u64 {
        let mut changes = StateChanges::default();
        let change = AccountChange {
            fields: Some((Some(account), None)),
            storage_wiped: true,
            storage: [(U256::from(2), (U256::from(2), U256::from(100 + round)))].into(),
        };
        changes.accounts.insert(address(0), change);
        changes.apply(&mut memory);
        cache.apply(&changes);
        assert_eq!(read(&cache, &memory, 0, 1), Ok(U256::ZERO));
        assert_eq!(read(&cache, &memory, 0, 2), Ok(U256::from(100 + round)));
        assert_eq!(read(&cache, &memory, 0, 3), Ok(U256::ZERO));
        assert_eq!(read(&cache, &memory, 1, 3), Ok(U256::from(3)));
    }
}

#[test]
fn a_cleared_cache_takes_another_state() {
    let (one, other) = (Scenario::new(30, 1, 1), Scenario::new(31, 1, 1));
    let mut cache = ReadCache::new(small());
    for scenario in [one, other] {
        let database = open(&Disk::default()).unwrap();
        scenario.load_all(&database);
        cache.clear();
        scenario.states[1].assert_read_by(&cache.over(&database.snapshot().unwrap()));
    }
}
