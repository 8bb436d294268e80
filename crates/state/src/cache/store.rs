use super::read_cache::ReadCache;
use crate::store::{Account, Store};
use alloy_primitives::{Address, B256, Bytes, KECCAK256_EMPTY, U256};

/// A [`Store`] that asks a cache first. Threads that miss the same value at once read it once.
#[derive(Debug)]
pub struct CachedStore<'c, S> {
    cache: &'c ReadCache,
    store: &'c S,
}

impl ReadCache {
    /// The store behind this cache, which must answer for the state that the cache is at.
    pub fn over<'c, S: Store>(&'c self, store: &'c S) -> CachedStore<'c, S> {
        CachedStore { cache: self, store }
    }
}

impl<S> Clone for CachedStore<'_, S> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<S> Copy for CachedStore<'_, S> {}

impl<S: Store> Store for CachedStore<'_, S> {
    type Error = S::Error;

    fn account(&self, address: Address) -> Result<Option<Account>, S::Error> {
        self.cache.account(address, || self.store.account(address))
    }

    fn storage(&self, address: Address, slot: U256) -> Result<U256, S::Error> {
        self.cache.slot(address, slot, || self.store.storage(address, slot))
    }

    fn code(&self, hash: B256) -> Result<Bytes, S::Error> {
        if hash == KECCAK256_EMPTY {
            return Ok(Bytes::new());
        }
        self.cache.code(hash, || self.store.code(hash))
    }

    /// Not cached: a stream asks once for each number.
    fn block_hash(&self, number: u64) -> Result<B256, S::Error> {
        self.store.block_hash(number)
    }
}
