use crate::location::{AccountState, Key, Value};
use alloy_primitives::map::{AddressMap, HashMap};
use alloy_primitives::{Address, B256};
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

#[derive(Debug)]
struct Inner {
    changes: Vec<tandem_stm::Change<Key, Value>>,
    codes: Vec<(B256, Bytecode)>,
}

impl PartialChanges {
    pub(crate) fn new(changes: Vec<tandem_stm::Change<Key, Value>>, codes: Vec<(B256, Bytecode)>) -> Self {
        Self(Arc::new(Inner { changes, codes }))
    }

    /// The changes by address. Work that is best done off the workers' path.
    pub fn state_changes(&self) -> StateChanges {
        ordered(&self.0.changes, &self.0.codes)
    }
}

fn ordered(changes: &[tandem_stm::Change<Key, Value>], codes: &[(B256, Bytecode)]) -> StateChanges {
    let mut accounts = BTreeMap::<Address, AccountChange>::new();
    let mut generations = AddressMap::<u64>::default();
    for change in changes {
        let Key::Account { address, .. } = change.key else { continue };
        let (before, after) = (change.before.account(), change.after.account());
        let account = accounts.entry(address).or_default();
        if fields(&before) != fields(&after) {
            account.fields = Some((fields(&before), fields(&after)));
        }
        account.storage_wiped = before.generation != after.generation;
        generations.insert(address, after.generation);
    }
    for change in changes {
        let Key::Slot { address, generation, slot, .. } = change.key else { continue };
        if generations.get(&address).is_none_or(|last| *last == generation) {
            let values = (change.before.slot(), change.after.slot());
            accounts.entry(address).or_default().storage.insert(slot, values);
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
                code: changes.codes.get(&after.code_hash).cloned().map(Bytecode::new_raw),
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
