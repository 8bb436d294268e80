use super::account::{ClosedAccount, OpenAccount, StorageTrie};
use crate::trie::changes::HashedAccount;
use crate::trie::error::TrieError;
use crate::trie::source::NodeSource;
use crate::trie::sparse::{Ages, SparseTrie, Update};
use crate::trie::updates::StorageNodes;
use alloy_primitives::map::{B256Map, Entry};
use alloy_primitives::{B256, U256};
use alloy_trie::{EMPTY_ROOT_HASH, TrieAccount};
use rayon::prelude::*;

/// Slots for which it pays to encode them on several threads.
const MANY_SLOTS: usize = 512;

/// The storage tries of the accounts whose hashed addresses begin with one byte, so that threads need not share a table.
#[derive(Debug, Default)]
pub(super) struct Shard {
    tries: B256Map<StorageTrie>,
    /// The accounts that the open block changes.
    open: B256Map<OpenAccount>,
    /// The tries that are marked as changed.
    changed: Vec<B256>,
    /// Nodes in memory, of all tries.
    resident: usize,
}

impl Shard {
    /// Applies changes of a part of a block. `before` are the leaves of the same accounts before the block.
    pub(super) fn update<N: NodeSource>(
        &mut self,
        changes: &[(B256, HashedAccount)],
        before: &[Option<TrieAccount>],
        source: &N,
        epoch: u32,
    ) -> Result<(), TrieError<N::Error>> {
        for ((address, change), before) in changes.iter().zip(before) {
            let open = self.open.entry(*address).or_insert_with(|| OpenAccount::new(*before));
            let storage_root = open.storage_root_before();
            let gone = change.account == Some(None);
            let wiped = gone || change.storage_wiped;
            let slots = if gone { &[][..] } else { &change.storage };
            if wiped {
                open.wipe();
            }
            open.set_slots(slots);
            if let Some(fields) = change.account {
                open.set_fields(fields);
            }
            if wiped || !slots.is_empty() {
                self.update_trie(*address, storage_root, wiped, slots, source, epoch)?;
            }
        }
        Ok(())
    }

    fn update_trie<N: NodeSource>(
        &mut self,
        address: B256,
        storage_root_before: B256,
        wiped: bool,
        slots: &[(B256, U256)],
        source: &N,
        epoch: u32,
    ) -> Result<(), TrieError<N::Error>> {
        let StorageTrie { trie, changed } = match self.tries.entry(address) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(_) if slots.is_empty() && storage_root_before == EMPTY_ROOT_HASH => return Ok(()),
            Entry::Vacant(entry) => entry.insert(StorageTrie {
                trie: SparseTrie::new(Some(address), storage_root_before),
                changed: false,
            }),
        };
        let resident = trie.resident_nodes();
        let mut changes = wiped && !trie.is_empty();
        if wiped {
            trie.clear();
        }
        changes |= trie.apply(&mut updates(slots), source, epoch)?;
        self.resident = self.resident + trie.resident_nodes() - resident;
        if changes && !std::mem::replace(changed, true) {
            self.changed.push(address);
        }
        Ok(())
    }

    /// Whether the open block changes anything here.
    pub(super) fn is_open(&self) -> bool {
        !self.open.is_empty()
    }

    /// Ends the block: computes storage roots. Fails with the hashed address of an account that has storage but does not
    /// exist.
    pub(super) fn close(&mut self) -> Result<Vec<ClosedAccount>, B256> {
        let mut accounts: Vec<_> = self.open.drain().collect();
        accounts.sort_unstable_by_key(|(address, _)| *address);
        let closed = accounts.into_iter().map(|(address, account)| {
            let storage_root = match self.tries.get_mut(&address) {
                Some(storage) => storage.trie.root(),
                None => account.storage_root_before(),
            };
            account.close(address, storage_root).ok_or(address)
        });
        closed.collect()
    }

    /// The inner nodes that changed in `epoch`.
    pub(super) fn take_nodes(&mut self, epoch: u32) -> Vec<(B256, StorageNodes)> {
        let mut addresses = std::mem::take(&mut self.changed);
        addresses.sort_unstable();
        let mut taken = Vec::with_capacity(addresses.len());
        for address in addresses {
            let Entry::Occupied(mut entry) = self.tries.entry(address) else { continue };
            let storage = entry.get_mut();
            storage.changed = false;
            let nodes = storage.trie.take_nodes(epoch);
            if nodes.wiped || !nodes.nodes.is_empty() {
                taken.push((address, nodes));
            }
            if storage.trie.is_empty() {
                entry.remove();
            }
        }
        taken
    }

    /// The trie of an account's storage, if it is in memory.
    pub(super) fn trie(&self, address: B256) -> Option<&SparseTrie> {
        self.tries.get(&address).map(|storage| &storage.trie)
    }

    pub(super) fn resident_nodes(&self) -> usize {
        self.resident
    }

    /// Adds up the nodes that might be forgotten by the epoch of their last visit.
    pub(super) fn count_ages(&mut self, durable: u32) -> Ages {
        let mut ages = Ages::new();
        self.tries.values_mut().for_each(|storage| storage.trie.count_ages(durable, &mut ages));
        ages
    }

    /// Forgets nodes that changed in no epoch after `durable` and were visited in none after `used`.
    pub(super) fn forget(&mut self, durable: u32, used: u32) {
        self.tries.retain(|_, StorageTrie { trie, changed }| {
            trie.forget(durable, used);
            *changed || trie.resident_nodes() > 0
        });
        self.resident = self.tries.values().map(|storage| storage.trie.resident_nodes()).sum();
    }
}

fn updates(slots: &[(B256, U256)]) -> Vec<Update> {
    let update = |(slot, value): &(B256, U256)| Update::slot(slot, *value);
    if slots.len() < MANY_SLOTS {
        slots.iter().map(update).collect()
    } else {
        slots.par_iter().with_min_len(MANY_SLOTS / 4).map(update).collect()
    }
}
