use super::{
    account::{ClosedAccount, decode_account, decode_slot},
    shard::Shard,
};
use crate::trie::changes::{HashedAccount, HashedChanges};
use crate::trie::error::{NodePath, TrieError};
use crate::trie::source::NodeSource;
use crate::trie::sparse::{Ages, SparseTrie, add_ages, prove};
use crate::trie::updates::{LeafUpdates, NodeUpdates};
use alloy_primitives::{B256, U256};
use alloy_trie::{Nibbles, TrieAccount};
use rayon::prelude::*;
use std::borrow::Cow;

/// Number of shards; an account's is the first byte of its hashed address.
const SHARDS: usize = 256;

/// Accounts and slots in a chunk for which threads are worth waking.
const MANY_CHANGES: usize = 32;

/// The tries of one state, kept warm from block to block.
///
/// A block comes in one or more calls of [`Self::update`] and ends with [`Self::finish_block`]. Its work is spread over the
/// current rayon pool: over accounts, and within large tries over subtrees.
///
/// After an error the tries may be half-changed: all further calls that can fail do so, and the tries have to be made
/// anew from a known root.
#[derive(Debug)]
pub struct StateTrie {
    accounts: SparseTrie,
    shards: Vec<Shard>,
    /// Root of the last finished block.
    root: B256,
    /// The open epoch. Nodes that change are marked with it.
    epoch: u32,
    /// Whether a block has begun and not ended.
    open: bool,
    failed: bool,
}

impl StateTrie {
    /// The state with this root, of which nothing else is known.
    /// [`EMPTY_ROOT_HASH`](alloy_trie::EMPTY_ROOT_HASH) is that of the empty state.
    pub fn new(root: B256) -> Self {
        Self {
            accounts: SparseTrie::new(None, root),
            shards: std::iter::repeat_with(Shard::default).take(SHARDS).collect(),
            root,
            epoch: 1,
            open: false,
            failed: false,
        }
    }

    /// The state root after the last finished block.
    pub fn root(&self) -> B256 {
        self.root
    }

    /// Applies changes of a block or of a part of it; parts come in the order of the stream.
    ///
    /// Slots go to the storage tries at once, fields of accounts at the end of the block; the paths to both are loaded.
    /// No node is hashed yet.
    ///
    /// # Errors
    ///
    /// If a node is needed that `source` cannot give, or is malformed.
    pub fn update<N: NodeSource>(
        &mut self,
        changes: &HashedChanges,
        source: &N,
    ) -> Result<(), TrieError<N::Error>> {
        self.guard(|tries| tries.update_unguarded(&changes.accounts, source))
    }

    /// Ends the block and computes its state root. Returns the root and what changed in the leaves.
    ///
    /// # Errors
    ///
    /// If a node is needed that `source` cannot give, or is malformed, or if storage was written to an account that does
    /// not exist.
    pub fn finish_block<N: NodeSource>(
        &mut self,
        source: &N,
    ) -> Result<(B256, LeafUpdates), TrieError<N::Error>> {
        self.guard(|tries| tries.finish_unguarded(source))
    }

    /// Inner nodes that changed since the last call, and the number of the epoch that ends with this one.
    ///
    /// To be called between blocks. In the middle of a block there is nothing to take, and no epoch ends.
    pub fn take_nodes(&mut self) -> (u64, NodeUpdates) {
        if self.open {
            return (u64::from(self.epoch) - 1, NodeUpdates::default());
        }
        let epoch = self.epoch;
        let (accounts, shards) = (&mut self.accounts, &mut self.shards);
        let (accounts, storages) = rayon::join(
            || accounts.take_nodes(epoch).nodes,
            || shards.par_iter_mut().flat_map_iter(|shard| shard.take_nodes(epoch)).collect(),
        );
        self.epoch += 1;
        (u64::from(epoch), NodeUpdates { accounts, storages })
    }

    /// Forgets nodes, those longest unused first, until about `limit` are left in memory. Nodes that changed after the
    /// epoch `durable` stay: the source does not have them yet.
    ///
    /// Where forgetting starts it goes an eighth further, so that it does not start again with the next block.
    pub fn prune(&mut self, durable: u64, limit: usize) {
        let resident = self.resident_nodes();
        if resident <= limit {
            return;
        }
        let durable = u32::try_from(durable).map_or(self.epoch - 1, |durable| durable.min(self.epoch - 1));
        let (accounts, shards) = (&mut self.accounts, &mut self.shards);
        let mut ages = Ages::new();
        accounts.count_ages(durable, &mut ages);
        let parts: Vec<_> = shards.par_iter_mut().map(|shard| shard.count_ages(durable)).collect();
        add_ages(&mut ages, parts);
        let excess = resident - (limit - limit / 8);
        let mut forgotten = 0;
        let last = ages.into_iter().find(|(_, nodes)| {
            forgotten += nodes;
            forgotten >= excess
        });
        let used = last.map_or(u32::MAX, |(used, _)| used);
        rayon::join(
            || accounts.forget(durable, used),
            || shards.par_iter_mut().for_each(|shard| shard.forget(durable, used)),
        );
    }

    /// Number of nodes in memory, leaves included.
    pub fn resident_nodes(&self) -> usize {
        self.accounts.resident_nodes() + self.shards.iter().map(Shard::resident_nodes).sum::<usize>()
    }

    /// The account after the last finished block; `None` only if the trie proves that there is none.
    ///
    /// # Errors
    ///
    /// If a node on the way is neither in memory nor in `source`, or is malformed.
    pub fn account<N: NodeSource>(
        &self,
        hashed_address: B256,
        source: &N,
    ) -> Result<Option<TrieAccount>, TrieError<N::Error>> {
        let path = Nibbles::unpack_array(&hashed_address);
        let value = self.accounts.get(&path, source)?;
        let malformed = TrieError::Malformed { node: NodePath { owner: None, path }.into() };
        value.map(|value| decode_account(&value).ok_or(malformed)).transpose()
    }

    /// The value of a slot with all updates so far; zero only if the trie proves that nothing is stored.
    ///
    /// # Errors
    ///
    /// If a node on the way is neither in memory nor in `source`, or is malformed.
    pub fn storage<N: NodeSource>(
        &self,
        hashed_address: B256,
        hashed_slot: B256,
        source: &N,
    ) -> Result<U256, TrieError<N::Error>> {
        let path = Nibbles::unpack_array(&hashed_slot);
        let value = match self.shards[usize::from(hashed_address[0])].trie(hashed_address) {
            Some(trie) => trie.get(&path, source)?,
            None => match self.account(hashed_address, source)? {
                Some(account) => prove(Some(hashed_address), account.storage_root, &path, source)?,
                None => None,
            },
        };
        let malformed = TrieError::Malformed { node: NodePath { owner: Some(hashed_address), path }.into() };
        value.map_or(Ok(U256::ZERO), |value| decode_slot(&value).ok_or(malformed))
    }

    fn update_unguarded<N: NodeSource>(
        &mut self,
        changes: &[(B256, HashedAccount)],
        source: &N,
    ) -> Result<(), TrieError<N::Error>> {
        let mut changes = Cow::Borrowed(changes);
        if !changes.is_sorted_by_key(|(address, _)| address) {
            changes.to_mut().sort_by_key(|(address, _)| *address);
        }
        self.open = true;
        let epoch = self.epoch;
        let keys = changes.iter().map(|(address, _)| Nibbles::unpack_array(address));
        let before = self.accounts.find(keys, decode_account, source, epoch)?;

        let mut parts = Vec::new();
        let mut shards = (0..=u8::MAX).zip(&mut self.shards);
        let mut before = before.as_slice();
        for group in changes.chunk_by(|a, b| a.0[0] == b.0[0]) {
            let (group_before, rest) = before.split_at(group.len());
            before = rest;
            if let Some((_, shard)) = shards.find(|(byte, _)| *byte == group[0].0[0]) {
                parts.push((shard, group, group_before));
            }
        }
        let size: usize = changes.iter().map(|(_, change)| 1 + change.storage.len()).sum();
        if size < MANY_CHANGES {
            parts
                .into_iter()
                .try_for_each(|(shard, group, before)| shard.update(group, before, source, epoch))
        } else {
            parts
                .into_par_iter()
                .with_max_len(1)
                .try_for_each(|(shard, group, before)| shard.update(group, before, source, epoch))
        }
    }

    fn finish_unguarded<N: NodeSource>(
        &mut self,
        source: &N,
    ) -> Result<(B256, LeafUpdates), TrieError<N::Error>> {
        let shards: Vec<_> = self.shards.iter_mut().filter(|shard| shard.is_open()).collect();
        let closed: Result<Vec<_>, B256> = shards
            .into_par_iter()
            .with_max_len(1)
            .map(|shard| {
                let accounts = shard.close()?;
                let updates: Vec<_> = accounts.iter().filter_map(ClosedAccount::update).collect();
                Ok((accounts, updates))
            })
            .collect();
        let closed = closed.map_err(TrieError::StorageWithoutAccount)?;

        let mut leaves = LeafUpdates::default();
        let mut updates = Vec::with_capacity(closed.iter().map(|(_, updates)| updates.len()).sum());
        for (accounts, part) in closed {
            updates.extend(part);
            for ClosedAccount { address, account, storage } in accounts {
                leaves.accounts.extend(account.map(|account| (address, account)));
                leaves.storages.extend(storage.map(|storage| (address, storage)));
            }
        }
        self.accounts.apply(&mut updates, source, self.epoch)?;
        self.root = self.accounts.root();
        self.open = false;
        Ok((self.root, leaves))
    }

    /// Runs `change`, after whose failure no more changes are possible.
    fn guard<T, E>(
        &mut self,
        change: impl FnOnce(&mut Self) -> Result<T, TrieError<E>>,
    ) -> Result<T, TrieError<E>> {
        if self.failed {
            return Err(TrieError::Unusable);
        }
        let result = change(self);
        self.failed = result.is_err();
        result
    }
}
