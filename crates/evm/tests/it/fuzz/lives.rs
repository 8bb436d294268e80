//! Follows accounts through a block: who came, went and came again.

use crate::fuzz::shapes::{Counts, Shape};
use alloy_primitives::map::{AddressMap, AddressSet};
use alloy_primitives::{Address, U256};
use revm::context::{Transaction, TxEnv};
use revm::context_interface::transaction::AuthorizationTr;
use revm::state::EvmState;

/// What became of accounts in the block so far.
#[derive(Default)]
pub(crate) struct Lives {
    /// Accounts that did not exist, were touched and left empty, and how they were first.
    touched: AddressMap<Shape>,
    /// Accounts that lost all they had.
    emptied: AddressSet,
    created: AddressSet,
}

/// What a transaction did.
pub(crate) struct Done<'a> {
    pub(crate) tx: &'a TxEnv,
    pub(crate) state: &'a EvmState,
    /// In whose favour contracts were destroyed.
    pub(crate) heirs: &'a AddressSet,
    pub(crate) beneficiary: Address,
}

impl Lives {
    /// Takes a transaction in.
    pub(crate) fn follow(&mut self, done: &Done<'_>, counts: &mut Counts) {
        for authority in done.tx.authorization_list().filter_map(|signed| signed.authority()) {
            let delegated = done.state.get(&authority).is_some_and(|account| account.info.nonce == 1);
            if let Some(shape) = self.touched.get(&authority).filter(|_| delegated) {
                counts.add(*shape, 1);
                self.touched.remove(&authority);
            }
        }
        for (address, account) in done.state.iter().filter(|(_, account)| account.is_touched()) {
            let gone = account.is_selfdestructed();
            if account.is_loaded_as_not_existing() && account.is_empty() && !gone && !account.is_created() {
                self.touched.entry(*address).or_insert_with(|| done.touch(address));
            } else if !account.is_empty() {
                self.touched.remove(address);
            }
            if self.created.contains(address) && gone {
                counts.add(Shape::CreatedThenDestroyed, 1);
            }
            if account.is_created() && !gone {
                self.created.insert(*address);
            }
            let had = account.original_info().balance;
            if self.emptied.contains(address) && had.is_zero() && !account.info.balance.is_zero() && !gone {
                counts.add(Shape::Refilled, 1);
                self.emptied.remove(address);
            } else if !had.is_zero() && (gone || account.info.balance == U256::ZERO) {
                self.emptied.insert(*address);
            }
        }
    }
}

impl Done<'_> {
    /// How somebody was touched.
    fn touch(&self, address: &Address) -> Shape {
        if self.tx.kind.to() == Some(address) {
            Shape::AuthorizedAfterTransfer
        } else if self.heirs.contains(address) {
            Shape::AuthorizedAfterSelfdestruct
        } else if self.beneficiary == *address {
            Shape::AuthorizedAfterTip
        } else {
            Shape::AuthorizedAfterCall
        }
    }
}
