//! Accounts that a block reads and its recorded state lacks.

use crate::shared::input::PreState;
use alloy_primitives::map::AddressSet;
use alloy_primitives::{Address, B256, Bytes, U256};
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use tandem_evm::{Block, PlainExecutor, StoreRef};
use tandem_state::{Account, MemoryStore, MissingCode, Store};

/// Accounts that are named; more say nothing more.
const SHOWN: usize = 3;

/// A state that notes which accounts were read that it does not list.
struct Noting<'a> {
    state: &'a MemoryStore,
    listed: &'a AddressSet,
    missing: Mutex<BTreeSet<Address>>,
}

impl Store for Noting<'_> {
    type Error = MissingCode;

    fn account(&self, address: Address) -> Result<Option<Account>, MissingCode> {
        if !self.listed.contains(&address) {
            self.missing.lock().unwrap_or_else(PoisonError::into_inner).insert(address);
        }
        self.state.account(address)
    }

    fn storage(&self, address: Address, slot: U256) -> Result<U256, MissingCode> {
        self.state.storage(address, slot)
    }

    fn code(&self, hash: B256) -> Result<Bytes, MissingCode> {
        self.state.code(hash)
    }

    fn block_hash(&self, number: u64) -> Result<B256, MissingCode> {
        self.state.block_hash(number)
    }
}

/// Says which accounts the block reads one transaction after the other, up to where it fails if it does, that its
/// pre-state does not list; `None` if it lists all.
///
/// Before EIP-161 an account that does not exist cannot be listed. Then only senders have to be.
pub(crate) fn missing_accounts(block: &Block, state: &MemoryStore, pre_state: &PreState) -> Option<String> {
    let listed = pre_state.listed.as_ref()?;
    let noting = Noting { state, listed, missing: Mutex::default() };
    // How it ends is known.
    let _ = PlainExecutor::new().execute(&StoreRef(&noting), block);
    let mut missing = noting.missing.into_inner().unwrap_or_else(PoisonError::into_inner);
    if !block.clears_empty_accounts() {
        let senders: AddressSet = block.senders().collect();
        missing.retain(|address| senders.contains(address));
    }
    let named: Vec<_> = missing.iter().take(SHOWN).map(Address::to_string).collect();
    let more = missing.len().saturating_sub(SHOWN);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    (!named.is_empty()).then(|| format!("the pre-state does not list {}{more}", named.join(", ")))
}
