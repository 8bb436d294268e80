use alloy_primitives::{Address, B256, Bytes, U256};
use std::time::Duration;
use tandem_state::{Account, MemoryStore, Store};

/// A store whose reads take at least so long. The thread that reads sleeps, as it would while a disk is at work.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SlowStore<'a> {
    pub(crate) store: &'a MemoryStore,
    pub(crate) latency: Duration,
}

/// Has threads that start from now on wake up from short sleeps in time, where the system can be told to: on Linux they may
/// be 50 microseconds late otherwise.
pub(crate) fn sleep_precisely() {
    // A system that has no such setting sleeps longer, which `SlowStore` allows.
    let _ = std::fs::write("/proc/self/timerslack_ns", "1");
}

impl SlowStore<'_> {
    fn wait(&self) {
        if !self.latency.is_zero() {
            std::thread::sleep(self.latency);
        }
    }
}

impl Store for SlowStore<'_> {
    type Error = <MemoryStore as Store>::Error;

    fn account(&self, address: Address) -> Result<Option<Account>, Self::Error> {
        self.wait();
        self.store.account(address)
    }

    fn storage(&self, address: Address, slot: U256) -> Result<U256, Self::Error> {
        self.wait();
        self.store.storage(address, slot)
    }

    fn code(&self, hash: B256) -> Result<Bytes, Self::Error> {
        self.wait();
        self.store.code(hash)
    }

    fn block_hash(&self, number: u64) -> Result<B256, Self::Error> {
        self.store.block_hash(number)
    }
}
