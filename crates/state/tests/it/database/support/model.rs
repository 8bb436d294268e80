use alloy_primitives::{Address, B256, Bytes, KECCAK256_EMPTY, U256, keccak256};
use std::collections::BTreeMap;
use tandem_state::{Account, AccountChange, StateChanges, Store, database::Snapshot};

use super::rng::Rng;

/// A state in the plainest form.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Model {
    pub(crate) accounts: BTreeMap<Address, Account>,
    pub(crate) storage: BTreeMap<(Address, U256), U256>,
}

pub(crate) const ADDRESSES: u64 = 40;
pub(crate) const SLOTS: u64 = 12;

pub(crate) fn address(index: u64) -> Address {
    Address::from_word(B256::from(U256::from(index + 1)))
}

/// Some codes to choose from.
pub(crate) fn code(index: u64) -> Bytes {
    Bytes::from(vec![index as u8; 20 + index as usize * 700])
}

impl Model {
    /// Random changes that can follow on this state, most of them of the kinds that are easy to get wrong.
    pub(crate) fn random_changes(&self, rng: &mut Rng, accounts: u64) -> StateChanges {
        let mut changes = StateChanges::default();
        for _ in 0..accounts {
            let address = address(rng.below(ADDRESSES));
            if changes.accounts.contains_key(&address) {
                continue;
            }
            let before = self.accounts.get(&address).copied();
            let mut change = AccountChange::default();
            let kind = rng.below(10);
            let after = match (before, kind) {
                (Some(_), 0) => None,
                (Some(_), 1..=6) if rng.percent(30) => before,
                _ => Some(random_account(rng)),
            };
            change.fields = (before != after).then_some((before, after));
            // Destroyed, or destroyed and made again, or made where nothing was.
            change.storage_wiped = after.is_none() || kind == 7 || (before.is_none() && rng.percent(50));
            if after.is_some() {
                for _ in 0..rng.below(8) {
                    let slot = U256::from(rng.below(SLOTS));
                    let before = self.storage.get(&(address, slot)).copied().unwrap_or_default();
                    let value = U256::from(if rng.percent(30) { 0 } else { rng.next() >> rng.below(64) });
                    if before != value || change.storage_wiped {
                        change.storage.insert(slot, (before, value));
                    }
                }
                if let Some(account) = after.filter(|after| after.code_hash != KECCAK256_EMPTY) {
                    let code = (0..8).map(code).find(|code| keccak256(code) == account.code_hash);
                    changes.codes.insert(account.code_hash, code.unwrap());
                }
            }
            if change != AccountChange::default() {
                changes.accounts.insert(address, change);
            }
        }
        changes
    }

    pub(crate) fn apply(&mut self, changes: &StateChanges) {
        for (address, change) in &changes.accounts {
            if change.storage_wiped {
                self.storage.retain(|(owner, _), _| owner != address);
            }
            match change.fields {
                Some((_, Some(account))) => drop(self.accounts.insert(*address, account)),
                Some((_, None)) => drop(self.accounts.remove(address)),
                None => {}
            }
            for (slot, (_, value)) in &change.storage {
                if value.is_zero() {
                    self.storage.remove(&(*address, *slot));
                } else {
                    self.storage.insert((*address, *slot), *value);
                }
            }
        }
    }

    pub(crate) fn slot(&self, address: Address, slot: U256) -> U256 {
        self.storage.get(&(address, slot)).copied().unwrap_or_default()
    }

    /// Makes sure that a snapshot answers as this state.
    pub(crate) fn assert_read_by(&self, store: &impl Store) {
        for address in (0..ADDRESSES + 1).map(address) {
            let account = store.account(address).unwrap();
            assert_eq!(account, self.accounts.get(&address).copied());
            for slot in (0..SLOTS + 1).map(U256::from) {
                assert_eq!(store.storage(address, slot).unwrap(), self.slot(address, slot));
            }
            if let Some(account) = account {
                assert_eq!(keccak256(store.code(account.code_hash).unwrap()), account.code_hash);
            }
        }
    }

    /// Makes sure that a snapshot remembers this state as that of block `number`.
    pub(crate) fn assert_remembered_by(&self, snapshot: &Snapshot, number: u64) {
        for address in (0..ADDRESSES + 1).map(address) {
            let account = snapshot.account_at(address, number).unwrap().map(|account| Account {
                balance: account.balance,
                nonce: account.nonce,
                code_hash: account.code_hash,
            });
            assert_eq!(account, self.accounts.get(&address).copied(), "{address} at {number}");
            for slot in (0..SLOTS + 1).map(U256::from) {
                let value = snapshot.storage_at(address, slot, number).unwrap();
                assert_eq!(value, self.slot(address, slot), "{address} slot {slot} at {number}");
            }
        }
    }
}

fn random_account(rng: &mut Rng) -> Account {
    let code_hash = if rng.percent(40) { keccak256(code(rng.below(8))) } else { KECCAK256_EMPTY };
    Account { balance: U256::from(rng.next()), nonce: rng.below(300), code_hash }
}
