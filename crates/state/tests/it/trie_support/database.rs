//! A database that stores exactly what it is told: leaves as flat rows, inner nodes by path.

use super::model::InnerNodes;
use alloy_primitives::{B256, Bytes, U256};
use alloy_rlp::Encodable;
use alloy_trie::{Nibbles, TrieAccount, nodes::LeafNode};
use std::collections::BTreeMap;
use std::convert::Infallible;
use tandem_state::trie::{LeafUpdates, NodeSource, NodeUpdates};

#[derive(Clone, Debug, Default)]
pub(crate) struct Database {
    pub(crate) accounts: BTreeMap<B256, TrieAccount>,
    pub(crate) storages: BTreeMap<B256, BTreeMap<B256, U256>>,
    pub(crate) nodes: BTreeMap<Option<B256>, InnerNodes>,
}

impl Database {
    pub(crate) fn write_leaves(&mut self, leaves: &LeafUpdates) {
        assert!(leaves.accounts.is_sorted_by(|a, b| a.0 < b.0));
        assert!(leaves.storages.is_sorted_by(|a, b| a.0 < b.0));
        for (address, account) in &leaves.accounts {
            match account {
                Some(account) => self.accounts.insert(*address, *account),
                None => self.accounts.remove(address),
            };
        }
        for (address, storage) in &leaves.storages {
            assert!(storage.slots.is_sorted_by(|a, b| a.0 < b.0));
            let slots = self.storages.entry(*address).or_default();
            if storage.wiped {
                slots.clear();
            }
            for (slot, value) in &storage.slots {
                if value.is_zero() {
                    slots.remove(slot);
                } else {
                    slots.insert(*slot, *value);
                }
            }
            if slots.is_empty() {
                self.storages.remove(address);
            }
        }
    }

    pub(crate) fn write_nodes(&mut self, nodes: &NodeUpdates) {
        self.write_trie(None, false, &nodes.accounts);
        assert!(nodes.storages.is_sorted_by(|a, b| a.0 < b.0));
        for (address, storage) in &nodes.storages {
            self.write_trie(Some(*address), storage.wiped, &storage.nodes);
        }
    }

    fn write_trie(&mut self, owner: Option<B256>, wiped: bool, nodes: &[(Nibbles, Option<Bytes>)]) {
        assert!(nodes.is_sorted_by(|a, b| a.0 < b.0), "not sorted: {nodes:?}");
        let stored = self.nodes.entry(owner).or_default();
        if wiped {
            stored.clear();
        }
        for (path, node) in nodes {
            match node {
                Some(node) => {
                    stored.insert(*path, node.clone());
                }
                None => assert!(stored.remove(path).is_some(), "no node to remove at {path:?} of {owner:?}"),
            }
        }
        if stored.is_empty() {
            self.nodes.remove(&owner);
        }
    }
}

impl NodeSource for Database {
    type Error = Infallible;

    fn node(&self, owner: Option<B256>, path: &Nibbles, _: B256) -> Result<Option<Bytes>, Infallible> {
        let inner = self.nodes.get(&owner).and_then(|nodes| nodes.get(path));
        if let Some(node) = inner {
            return Ok(Some(node.clone()));
        }
        let leaf = match owner {
            None => first_below(&self.accounts, path).map(|(key, account)| (key, alloy_rlp::encode(account))),
            Some(owner) => self
                .storages
                .get(&owner)
                .and_then(|slots| first_below(slots, path))
                .map(|(key, value)| (key, alloy_rlp::encode(value))),
        };
        Ok(leaf.map(|(key, value)| {
            let mut rlp = Vec::new();
            LeafNode::new(key.slice(path.len()..), value).encode(&mut rlp);
            rlp.into()
        }))
    }
}

/// The first row whose key starts with `path`.
fn first_below<'a, T>(rows: &'a BTreeMap<B256, T>, path: &Nibbles) -> Option<(Nibbles, &'a T)> {
    let mut first = [0; 32];
    path.pack_to(&mut first[..path.len().div_ceil(2)]);
    let (key, row) = rows.range(B256::new(first)..).next()?;
    let key = Nibbles::unpack(key);
    key.starts_with(path).then_some((key, row))
}
