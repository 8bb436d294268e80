use crate::code;
use crate::location::AccountState;
use alloy_primitives::map::{AddressMap, HashMap};
use alloy_primitives::{Address, B256, U256};
use revm::bytecode::Bytecode;
use revm::state::{Account, AccountInfo, AccountStatus, EvmState, EvmStorageSlot, TransactionId};
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
            account.storage_wiped = before.generation != after.generation;
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

/// The changes as revm's state, fit for [`revm::DatabaseCommit::commit`].
///
/// `current` gives the fields of an account that is in the changes for its storage alone.
pub fn to_evm_state<E>(
    changes: &StateChanges,
    mut current: impl FnMut(Address) -> Result<Option<AccountInfo>, E>,
) -> Result<EvmState, E> {
    let mut state = EvmState::default();
    for (address, change) in &changes.accounts {
        let mut status = AccountStatus::Touched;
        let info = match change.fields {
            Some((_, Some(after))) => AccountInfo {
                balance: after.balance,
                nonce: after.nonce,
                code_hash: after.code_hash,
                account_id: None,
                code: changes.codes.get(&after.code_hash).cloned().map(code::decode),
            },
            Some((_, None)) => {
                status |= AccountStatus::SelfDestructed;
                AccountInfo::default()
            }
            None => current(*address)?.unwrap_or_default(),
        };
        if change.storage_wiped && !status.contains(AccountStatus::SelfDestructed) {
            status |= AccountStatus::Created;
        }
        let storage = change
            .storage
            .iter()
            .map(|(slot, (before, after))| {
                (*slot, EvmStorageSlot::new_changed(*before, *after, TransactionId::ZERO))
            })
            .collect::<HashMap<_, _>>();
        let mut account = Account::from(info).with_storage(storage.into_iter());
        account.status = status;
        state.insert(*address, account);
    }
    Ok(state)
}
