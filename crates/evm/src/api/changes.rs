use crate::code;
use crate::engine::location::AccountState;
use alloy_primitives::map::AddressMap;
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

/// The changes as revm's states, to be committed one after the other ([`revm::DatabaseCommit::commit`]): one, or two where a
/// contract was destroyed and its account is there again, which a single commit cannot say.
///
/// Each account comes with its fields and slots from before the block, so that [`revm::database::State`] makes reverts to
/// that, whether it has read the account or not.
///
/// `current` gives the fields that an account had before the block, for accounts whose fields the block left as they were.
///
/// # Errors
///
/// Those of `current`.
pub fn to_evm_states<E>(
    changes: &StateChanges,
    mut current: impl FnMut(Address) -> Result<Option<AccountInfo>, E>,
) -> Result<Vec<EvmState>, E> {
    let mut destroyed = EvmState::default();
    let mut others = EvmState::default();
    for (address, change) in &changes.accounts {
        let (before, after) = match change.fields {
            Some((before, after)) => (before.map(info), after.map(info)),
            None => {
                let unchanged = current(*address)?;
                (unchanged.clone(), unchanged)
            }
        };
        let Some(mut after) = after else {
            others.insert(*address, gone(before));
            continue;
        };
        // Without code and nonce there was no contract, so that the storage was wiped by a creation alone.
        if change.storage_wiped
            && let Some(before) = before.clone().filter(|before| !before.has_no_code_and_nonce())
        {
            destroyed.insert(*address, gone(Some(before)));
        }
        after.code = changes.codes.get(&after.code_hash).cloned().map(code::decode);
        let mut account = loaded(before);
        // revm removes what is touched and empty, unless it was created: before EIP-161 such accounts are there.
        if change.storage_wiped || after.is_empty() {
            account.status |= AccountStatus::Created;
        }
        account.info = after;
        let slots = change.storage.iter().map(|(slot, (before, after))| {
            (*slot, EvmStorageSlot::new_changed(*before, *after, TransactionId::ZERO))
        });
        others.insert(*address, account.with_storage(slots));
    }
    Ok([destroyed, others].into_iter().filter(|state| !state.is_empty()).collect())
}

fn info(account: tandem_state::Account) -> AccountInfo {
    let tandem_state::Account { balance, nonce, code_hash } = account;
    AccountInfo { balance, nonce, code_hash, account_id: None, code: None }
}

/// A touched account as it was before the block.
fn loaded(before: Option<AccountInfo>) -> Account {
    let mut account = match before {
        Some(info) => Account::from(info),
        None => Account::new_not_existing(TransactionId::ZERO),
    };
    account.mark_touch();
    account
}

/// An account that the block removed.
fn gone(before: Option<AccountInfo>) -> Account {
    let mut account = loaded(before);
    account.info = AccountInfo::default();
    account.with_selfdestruct_mark()
}
