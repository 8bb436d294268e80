use crate::location::{AccountState, Key, Value};
use alloy_primitives::map::{AddressMap, B256Map, HashMap};
use alloy_primitives::{Address, B256, U256};
use revm::bytecode::Bytecode;
use revm::state::{Account, AccountInfo, AccountStatus, EvmState, EvmStorageSlot, TransactionId};
use std::collections::BTreeMap;
use tandem_state::MemoryStore;

/// An account's fields, without its storage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccountFields {
    /// Balance in wei.
    pub balance: U256,
    /// Nonce.
    pub nonce: u64,
    /// Keccak-256 of the code.
    pub code_hash: B256,
}

/// How a block changed one account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccountChange {
    /// The fields before and after the block, if any of them changed; `None` inside means that the state does not
    /// hold the account.
    pub fields: Option<(Option<AccountFields>, Option<AccountFields>)>,
    /// Whether all storage from before the block is gone. `storage` then starts from empty.
    pub storage_wiped: bool,
    /// Changed slots with their values before and after.
    pub storage: BTreeMap<U256, (U256, U256)>,
}

/// What a block changed in the state, by address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StateChanges {
    /// Changed accounts. An account whose storage alone changed is here, too.
    pub accounts: BTreeMap<Address, AccountChange>,
    /// Codes that the block deployed, by hash.
    pub codes: B256Map<Bytecode>,
}

fn fields(account: &AccountState) -> Option<AccountFields> {
    let AccountState { balance, nonce, code_hash, .. } = *account;
    account.exists.then_some(AccountFields { balance, nonce, code_hash })
}

impl StateChanges {
    /// Brings the engine's changes of one block into order.
    pub(crate) fn new(
        changes: &[tandem_stm::Change<Key, Value>],
        codes: impl IntoIterator<Item = (B256, Bytecode)>,
    ) -> Self {
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
        Self { accounts, codes: codes.into_iter().collect() }
    }

    /// Brings a state from before the block to after it.
    pub fn apply(&self, state: &mut MemoryStore) {
        for code in self.codes.values() {
            state.add_code(code.original_bytes());
        }
        for (address, change) in &self.accounts {
            if change.storage_wiped {
                state.clear_storage(*address);
            }
            match change.fields {
                Some((_, Some(AccountFields { balance, nonce, code_hash }))) => {
                    state.set_account(*address, tandem_state::Account { balance, nonce, code_hash });
                }
                Some((_, None)) => state.remove_account(*address),
                None => {}
            }
            for (slot, (_, value)) in &change.storage {
                state.set_storage(*address, *slot, *value);
            }
        }
    }

    /// The changes as revm's state, fit for [`revm::DatabaseCommit::commit`].
    ///
    /// `current` gives the fields of an account that is in the changes for its storage alone.
    pub fn to_evm_state<E>(
        &self,
        mut current: impl FnMut(Address) -> Result<Option<AccountInfo>, E>,
    ) -> Result<EvmState, E> {
        let mut state = EvmState::default();
        for (address, change) in &self.accounts {
            let mut status = AccountStatus::Touched;
            let info = match change.fields {
                Some((_, Some(after))) => AccountInfo {
                    balance: after.balance,
                    nonce: after.nonce,
                    code_hash: after.code_hash,
                    account_id: None,
                    code: self.codes.get(&after.code_hash).cloned(),
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
}
