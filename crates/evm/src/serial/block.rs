use crate::error::Skipped;
use crate::protocol::Protocol;
use alloy_primitives::map::AddressSet;
use alloy_primitives::{KECCAK256_EMPTY, U256};
use revm::database_interface::DatabaseRef;
use revm::state::{AccountInfo, EvmState};
use tandem_state::{AccountChange, StateChanges};

/// A block executed by the plain loop.
#[derive(Clone, Debug)]
pub struct PlainBlock<P: Protocol> {
    /// One receipt a transaction.
    pub receipts: Vec<P::Receipt>,
    /// Gas used by all transactions.
    pub gas_used: u64,
    /// What the chain collects of a block besides receipts.
    pub summary: P::Summary,
    /// Transactions that were left out, by index, in order; there are none unless [`crate::PlainExecutor::execute_skipping`] was asked.
    pub skipped: Vec<(usize, Skipped)>,
    pub(super) state: EvmState,
    pub(super) clear_empty: bool,
    /// Accounts that ceased to exist at the end of some transaction.
    pub(super) gone: AddressSet,
}

impl<P: Protocol> PlainBlock<P> {
    /// The state changes of the whole block, told by comparing with the state before.
    ///
    /// # Errors
    ///
    /// If the store fails.
    pub fn state_changes<S: DatabaseRef>(&self, store: &S) -> Result<StateChanges, S::Error> {
        let mut changes = StateChanges::default();
        for (address, account) in &self.state {
            if !account.is_touched() && !account.is_selfdestructed() && !self.gone.contains(address) {
                continue;
            }
            let before = store.basic_ref(*address)?.map(|info| fields(&info));
            let gone = account.is_selfdestructed_locally()
                || (account.is_selfdestructed() && !account.is_touched())
                || (self.clear_empty && account.info.is_empty());
            let after = (!gone).then(|| fields(&account.info));
            let storage_wiped = account.is_selfdestructed() || account.is_created();
            let mut change = AccountChange { storage_wiped, ..AccountChange::default() };
            if before != after {
                change.fields = Some((before, after));
            }
            for (slot, value) in account.storage.iter().filter(|_| !gone) {
                let old = if storage_wiped { U256::ZERO } else { store.storage_ref(*address, *slot)? };
                if old != value.present_value {
                    change.storage.insert(*slot, (old, value.present_value));
                }
            }
            if let (Some((before, Some(after))), Some(code)) = (change.fields, &account.info.code)
                && after.code_hash != KECCAK256_EMPTY
                && before.is_none_or(|before| before.code_hash != after.code_hash)
            {
                changes.codes.insert(after.code_hash, code.original_bytes());
            }
            if change != AccountChange::default() {
                changes.accounts.insert(*address, change);
            }
        }
        Ok(changes)
    }
}

fn fields(info: &AccountInfo) -> tandem_state::Account {
    tandem_state::Account { balance: info.balance, nonce: info.nonce, code_hash: info.code_hash }
}
