//! A store that takes its time. One that fails is in `gates.rs`.

use super::rng::Rng;
use alloy_primitives::{Address, B256, U256};
use revm::bytecode::Bytecode;
use revm::database_interface::DatabaseRef;
use revm::state::AccountInfo;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tandem_evm::StoreRef;
use tandem_state::MemoryStore;

/// A store whose reads sometimes yield or sleep, so that workers get into each other's way.
pub(crate) struct SlowStore<'a> {
    pub(crate) inner: StoreRef<'a, MemoryStore>,
    /// Seed of the delays; zero for none.
    pub(crate) seed: u64,
    /// Accounts that always take long.
    pub(crate) slow: &'a [Address],
    pub(crate) reads: AtomicU64,
}

impl<'a> SlowStore<'a> {
    pub(crate) fn new(store: &'a MemoryStore, seed: u64, slow: &'a [Address]) -> Self {
        Self { inner: StoreRef(store), seed, slow, reads: AtomicU64::new(0) }
    }

    fn delay(&self) {
        if self.seed == 0 {
            return;
        }
        let read = self.reads.fetch_add(1, Ordering::Relaxed);
        match Rng(self.seed ^ (read << 20)).below(8) {
            0 => std::thread::sleep(Duration::from_micros(60)),
            1 | 2 => std::thread::yield_now(),
            _ => {}
        }
    }
}

impl DatabaseRef for SlowStore<'_> {
    type Error = <StoreRef<'static, MemoryStore> as DatabaseRef>::Error;

    fn basic_ref(&self, address: Address) -> Result<Option<AccountInfo>, Self::Error> {
        if self.seed != 0 && self.slow.contains(&address) {
            std::thread::sleep(Duration::from_micros(300));
        }
        self.delay();
        self.inner.basic_ref(address)
    }

    fn code_by_hash_ref(&self, hash: B256) -> Result<Bytecode, Self::Error> {
        self.delay();
        self.inner.code_by_hash_ref(hash)
    }

    fn storage_ref(&self, address: Address, slot: U256) -> Result<U256, Self::Error> {
        self.delay();
        self.inner.storage_ref(address, slot)
    }

    fn block_hash_ref(&self, number: u64) -> Result<B256, Self::Error> {
        self.inner.block_hash_ref(number)
    }
}
