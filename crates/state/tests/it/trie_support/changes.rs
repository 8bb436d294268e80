//! Random blocks, in chunks.

use super::{model::Model, rng::Rng};
use alloy_primitives::{B256, U256};
use tandem_state::Account;
use tandem_state::trie::{HashedAccount, HashedChanges};

/// The keys that a case plays with.
pub(crate) struct Keys {
    addresses: Vec<B256>,
    slots: Vec<B256>,
}

impl Keys {
    pub(crate) fn new(rng: &mut Rng, addresses: usize, slots: usize) -> Self {
        Self { addresses: rng.keys(addresses), slots: rng.keys(slots) }
    }

    pub(crate) fn address(&self, rng: &mut Rng) -> B256 {
        *rng.pick(&self.addresses)
    }

    pub(crate) fn slot(&self, rng: &mut Rng) -> B256 {
        *rng.pick(&self.slots)
    }

    /// Changes of up to `accounts` accounts and up to `slots` slots in each, which can follow on `model`.
    pub(crate) fn chunk(&self, rng: &mut Rng, model: &Model, accounts: usize, slots: usize) -> HashedChanges {
        let mut addresses: Vec<_> = (0..=rng.below(accounts)).map(|_| self.address(rng)).collect();
        addresses.sort_unstable();
        addresses.dedup();
        let change = |address| {
            let exists = model.accounts.contains_key(&address);
            let change = match rng.below(10) {
                // Also of accounts that do not exist.
                0..2 => {
                    HashedAccount { account: Some(None), storage_wiped: rng.percent(50), storage: Vec::new() }
                }
                2 => HashedAccount {
                    account: Some(Some(fields(rng))),
                    storage_wiped: true,
                    storage: self.slots(rng, slots),
                },
                3..5 => HashedAccount { account: Some(Some(fields(rng))), ..HashedAccount::default() },
                _ => HashedAccount {
                    account: (!exists || rng.percent(30)).then(|| Some(fields(rng))),
                    storage_wiped: false,
                    storage: self.slots(rng, slots),
                },
            };
            (address, change)
        };
        HashedChanges { accounts: addresses.into_iter().map(change).collect() }
    }

    fn slots(&self, rng: &mut Rng, slots: usize) -> Vec<(B256, U256)> {
        // Now and then all of them go at once.
        let zeros = rng.percent(10);
        let count = if zeros { self.slots.len() * 2 } else { rng.below(slots + 1) };
        let mut storage: Vec<_> =
            (0..count).map(|_| (self.slot(rng), if zeros { U256::ZERO } else { rng.value() })).collect();
        storage.sort_unstable();
        storage.dedup_by_key(|(slot, _)| *slot);
        storage
    }
}

fn fields(rng: &mut Rng) -> Account {
    Account { balance: U256::from(rng.next() >> rng.below(64)), nonce: rng.next() % 3, ..Account::default() }
}
