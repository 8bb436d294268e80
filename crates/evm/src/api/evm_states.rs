//! What a block changed, in revm's terms.

use super::finished::FinishedBlock;
use crate::code;
use crate::protocol::Protocol;
use alloy_primitives::Address;
use alloy_primitives::map::AddressMap;
use revm::DatabaseCommit;
use revm::database::states::bundle_state::BundleRetention;
use revm::database::{BundleState, State};
use revm::state::{Account, AccountInfo, AccountStatus, EvmState, EvmStorageSlot, TransactionId};
use std::convert::Infallible;
use tandem_state::StateChanges;

impl<P: Protocol> FinishedBlock<P> {
    /// The changes as revm's states, to be committed one after the other ([`DatabaseCommit::commit`]): none, one, or two where a contract
    /// was destroyed and its account is there again, which a single commit cannot say.
    ///
    /// Each account comes with its fields and slots from before the block.
    pub fn evm_states(&self) -> Vec<EvmState> {
        let mut before = AddressMap::default();
        for (address, [first, _]) in self.parts().iter().flat_map(|part| part.fields()) {
            before.entry(address).or_insert(first);
        }
        let current = |address| Ok::<_, Infallible>(before.get(&address).copied().flatten().map(info));
        match to_evm_states(&self.state_changes(), current) {
            Ok(states) => states,
            Err(never) => match never {},
        }
    }

    /// The changes as revm's bundle, with original values and with reverts, as `State` makes it of executing the block alone.
    ///
    /// What ends as it began is not in it, whatever happened to it in between. Bundles of blocks that follow one another are joined by
    /// [`BundleState::extend`].
    pub fn bundle_state(&self) -> BundleState {
        let mut state = State::builder().with_bundle_update().build();
        self.evm_states().into_iter().for_each(|changes| state.commit(changes));
        state.merge_transitions(BundleRetention::Reverts);
        state.take_bundle()
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
