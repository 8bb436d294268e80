//! Stores that take their time, or fail.

use super::rng::Rng;
use alloy_primitives::{Address, B256, U256};
use revm::bytecode::Bytecode;
use revm::database_interface::{DBErrorMarker, DatabaseRef};
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

/// What a [`FaultyStore`] does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Fail,
    Panic,
}

/// A store whose reads of one account go wrong, the first few times or always.
pub(crate) struct FaultyStore<'a> {
    inner: StoreRef<'a, MemoryStore>,
    address: Address,
    mode: Mode,
    /// Reads of the account that still go wrong.
    left: AtomicU64,
    /// An account that takes long to read.
    slow: Option<Address>,
}

impl<'a> FaultyStore<'a> {
    pub(crate) fn new(store: &'a MemoryStore, address: Address, mode: Mode, times: u64) -> Self {
        Self { inner: StoreRef(store), address, mode, left: AtomicU64::new(times), slow: None }
    }

    pub(crate) fn slow(mut self, address: Address) -> Self {
        self.slow = Some(address);
        self
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault(pub(crate) String);

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Fault {}
impl DBErrorMarker for Fault {}

impl DatabaseRef for FaultyStore<'_> {
    type Error = Fault;

    fn basic_ref(&self, address: Address) -> Result<Option<AccountInfo>, Fault> {
        if self.slow == Some(address) {
            std::thread::sleep(Duration::from_millis(20));
        }
        let less = |left: u64| left.checked_sub(1);
        if address == self.address
            && self.left.fetch_update(Ordering::AcqRel, Ordering::Acquire, less).is_ok()
        {
            match self.mode {
                Mode::Fail => return Err(Fault(format!("no {address}"))),
                Mode::Panic => panic!("the store panics"),
            }
        }
        self.inner.basic_ref(address).map_err(|error| Fault(error.to_string()))
    }

    fn code_by_hash_ref(&self, hash: B256) -> Result<Bytecode, Fault> {
        self.inner.code_by_hash_ref(hash).map_err(|error| Fault(error.to_string()))
    }

    fn storage_ref(&self, address: Address, slot: U256) -> Result<U256, Fault> {
        self.inner.storage_ref(address, slot).map_err(|error| Fault(error.to_string()))
    }

    fn block_hash_ref(&self, number: u64) -> Result<B256, Fault> {
        self.inner.block_hash_ref(number).map_err(|error| Fault(error.to_string()))
    }
}
