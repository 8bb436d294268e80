use alloy_primitives::{Address, B256, Bytes, U256};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tandem_state::{Account, MemoryStore, MissingCode, Store};

/// A state that remembers the reads from it.
#[derive(Debug)]
pub(super) struct Recorder<'a> {
    state: &'a MemoryStore,
    reads: Mutex<Reads>,
}

/// All reads, with the answers, sorted.
#[derive(Debug, Default)]
pub(super) struct Reads {
    pub(super) accounts: BTreeMap<Address, Option<Account>>,
    pub(super) storage: BTreeMap<(Address, U256), U256>,
    pub(super) block_hashes: BTreeMap<u64, B256>,
}

impl<'a> Recorder<'a> {
    pub(super) fn new(state: &'a MemoryStore) -> Self {
        Self { state, reads: Mutex::default() }
    }

    pub(super) fn into_reads(self) -> Reads {
        self.reads.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    fn reads(&self) -> MutexGuard<'_, Reads> {
        self.reads.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for Recorder<'_> {
    type Error = MissingCode;

    fn account(&self, address: Address) -> Result<Option<Account>, MissingCode> {
        let account = self.state.account(address)?;
        self.reads().accounts.insert(address, account);
        Ok(account)
    }

    fn storage(&self, address: Address, slot: U256) -> Result<U256, MissingCode> {
        let value = self.state.storage(address, slot)?;
        self.reads().storage.insert((address, slot), value);
        Ok(value)
    }

    fn code(&self, hash: B256) -> Result<Bytes, MissingCode> {
        self.state.code(hash)
    }

    fn block_hash(&self, number: u64) -> Result<B256, MissingCode> {
        let hash = self.state.block_hash(number)?;
        self.reads().block_hashes.insert(number, hash);
        Ok(hash)
    }
}
