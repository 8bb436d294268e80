//! The state before a round of a stream, and the values of earlier rounds in it.

use super::location::{AccountState, Key, Value};
use super::pools::{Pools, Retired};
use crate::state::{Base, StoreError};
use alloy_primitives::{Address, KECCAK256_EMPTY, U256};
use revm::state::AccountInfo;
use std::sync::Arc;

/// The state before the present round: the store's, and what earlier rounds have changed on top of it.
pub(super) struct RoundBase<'r> {
    pub(super) pools: &'r Pools<'r>,
    /// Set by the first run.
    store: Option<&'r Base<'r>>,
    /// Asked for by the first run: earlier than that the round may not have begun.
    retired: Option<Option<Arc<Retired>>>,
}

impl<'r> RoundBase<'r> {
    pub(super) fn new(pools: &'r Pools<'r>) -> Self {
        Self { pools, store: None, retired: None }
    }

    /// Moves to this store.
    pub(super) fn set_store(&mut self, store: &'r Base<'r>) {
        let pools = self.pools;
        self.store = Some(store);
        self.retired.get_or_insert_with(|| pools.retired());
    }

    pub(super) fn store(&self) -> &'r Base<'r> {
        self.store.expect("a step begins with its store")
    }

    /// The value under a key that an earlier round has changed.
    pub(super) fn retired(&self, key: &Key) -> Option<Value> {
        self.retired.as_ref()?.as_ref()?.get(key).copied()
    }

    /// The value under a key.
    pub(super) fn value(&self, key: &Key) -> Result<Value, StoreError> {
        if let Some(value) = self.retired(key) {
            return Ok(value);
        }
        match *key {
            Key::Account { address, .. } => self.account(address),
            // The storage that the store has was wiped.
            Key::Slot { generation: 1.., .. } => Ok(Value::Slot(U256::ZERO)),
            Key::Slot { address, slot, .. } => self.store().slot(address, slot).map(Value::Slot),
        }
    }

    fn account(&self, address: Address) -> Result<Value, StoreError> {
        let Some(info) = self.store().account(address)? else {
            return Ok(Value::Account(AccountState::ABSENT));
        };
        // Some stores say so that there is no code.
        let code_hash = if info.code_hash.is_zero() { KECCAK256_EMPTY } else { info.code_hash };
        if let Some(code) = info.code
            && code_hash != KECCAK256_EMPTY
        {
            self.pools.add_code(code_hash, &code);
        }
        let AccountInfo { balance, nonce, .. } = info;
        Ok(Value::Account(AccountState { balance, nonce, code_hash, exists: true, generation: 0 }))
    }
}
