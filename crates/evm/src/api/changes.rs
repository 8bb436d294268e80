use crate::engine::location::AccountState;
use alloy_primitives::map::AddressMap;
use alloy_primitives::{Address, B256, U256};
use revm::bytecode::Bytecode;
use std::collections::BTreeMap;
use std::sync::Arc;
use tandem_state::{AccountChange, StateChanges};

fn fields(account: &AccountState) -> Option<tandem_state::Account> {
    let AccountState { balance, nonce, code_hash, .. } = *account;
    account.exists.then_some(tandem_state::Account { balance, nonce, code_hash })
}

/// What consecutive steps of one block changed, as the engine tells it.
#[derive(Clone, Debug)]
pub struct PartialChanges(Arc<Inner>);

#[derive(Debug, Default)]
pub(crate) struct Inner {
    /// Accounts that changed; and, as they are, those of which slots alone changed. An account may be there more than once.
    pub(crate) accounts: Vec<ChangedAccount>,
    pub(crate) slots: Vec<ChangedSlot>,
    /// Codes that accounts have after the steps and did not have before.
    pub(crate) codes: Vec<(B256, Bytecode)>,
}

#[derive(Debug)]
pub(crate) struct ChangedAccount {
    pub(crate) address: Address,
    pub(crate) before: AccountState,
    pub(crate) after: AccountState,
}

#[derive(Debug)]
pub(crate) struct ChangedSlot {
    pub(crate) address: Address,
    pub(crate) generation: u64,
    pub(crate) slot: U256,
    pub(crate) before: U256,
    pub(crate) after: U256,
}

impl PartialChanges {
    pub(crate) fn new(changes: Inner) -> Self {
        Self(Arc::new(changes))
    }

    /// The fields, before and after, of each account that changed, or of which slots changed.
    pub(super) fn fields(&self) -> impl Iterator<Item = (Address, [Option<tandem_state::Account>; 2])> {
        let accounts = self.0.accounts.iter();
        accounts.map(|account| (account.address, [fields(&account.before), fields(&account.after)]))
    }

    /// The changes by address. Work that is best done off the workers' path.
    pub fn state_changes(&self) -> StateChanges {
        let Inner { accounts: changed, slots, codes } = &*self.0;
        let mut accounts = BTreeMap::<Address, AccountChange>::new();
        let mut generations = AddressMap::<u64>::default();
        for ChangedAccount { address, before, after } in changed {
            let account = accounts.entry(*address).or_default();
            if fields(before) != fields(after) {
                account.fields = Some((fields(before), fields(after)));
            }
            account.storage_wiped |= before.generation != after.generation;
            generations.insert(*address, after.generation);
        }
        for ChangedSlot { address, generation, slot, before, after } in slots {
            if generations.get(address).is_none_or(|last| last == generation) {
                accounts.entry(*address).or_default().storage.insert(*slot, (*before, *after));
            }
        }
        // An account that was created and destroyed again leaves nothing behind.
        accounts.retain(|_, account| match account.fields {
            None => !account.storage.is_empty() || account.storage_wiped,
            Some(_) => true,
        });
        let codes = codes.iter().map(|(hash, code)| (*hash, code.original_bytes())).collect();
        StateChanges { accounts, codes }
    }
}
