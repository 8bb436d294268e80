//! Inner nodes of the tries: writing them, and finding nodes by their place.

use super::error::DatabaseError;
use super::snapshot::Snapshot;
use super::tables::{ReadTables, WriteTables};
use super::{keys, rows};
use crate::trie::{NodeSource, NodeUpdates};
use alloy_primitives::{B256, Bytes, keccak256};
use alloy_rlp::Encodable;
use alloy_trie::{Nibbles, nodes::LeafNodeRef};
use redb::ReadableTable;

/// Writes the inner nodes that changed, and returns how many these were.
pub(super) fn write(tables: &mut WriteTables<'_>, updates: &NodeUpdates) -> Result<u64, DatabaseError> {
    let mut rows = updates.accounts.len();
    for (path, node) in &updates.accounts {
        let key = keys::account_node(path);
        match node {
            Some(rlp) => tables.account_nodes.insert(key.as_slice(), rlp.as_ref())?,
            None => tables.account_nodes.remove(key.as_slice())?,
        };
    }
    for (owner, storage) in &updates.storages {
        if storage.wiped {
            let (first, last) = keys::storage_nodes_of(*owner);
            tables.storage_nodes.retain_in(first.as_slice()..last.as_slice(), |_, _| false)?;
        }
        rows += storage.nodes.len();
        for (path, node) in &storage.nodes {
            let key = keys::storage_node(*owner, path);
            match node {
                Some(rlp) => tables.storage_nodes.insert(key.as_slice(), rlp.as_ref())?,
                None => tables.storage_nodes.remove(key.as_slice())?,
            };
        }
    }
    Ok(rows as u64)
}

/// The RLP of the inner node at a place, if there is one.
fn inner_node(
    tables: &ReadTables,
    owner: Option<B256>,
    path: &Nibbles,
) -> Result<Option<Bytes>, DatabaseError> {
    let row = match owner {
        None => tables.account_nodes.get(keys::account_node(path).as_slice())?,
        Some(owner) => tables.storage_nodes.get(keys::storage_node(owner, path).as_slice())?,
    };
    Ok(row.map(|row| Bytes::copy_from_slice(row.value())))
}

/// The RLP of the leaf's node at a place, made from the first leaf whose key starts with `path`.
fn leaf_node(
    tables: &ReadTables,
    owner: Option<B256>,
    path: &Nibbles,
) -> Result<Option<Bytes>, DatabaseError> {
    let (first, last) = keys::leaves_below(path);
    let leaf = match owner {
        None => {
            let leaf = tables.accounts.range(&first.0..=&last.0)?.next().transpose()?;
            leaf.map(|(key, row)| (B256::new(*key.value()), row.value().to_vec()))
        }
        Some(owner) => {
            let (first, last) = (keys::slot(owner, first), keys::slot(owner, last));
            let leaf = tables.storage.range(&first..=&last)?.next().transpose()?;
            leaf.map(|(key, row)| (keys::split_slot(key.value()).1, rows::trie_value(row.value())))
        }
    };
    Ok(leaf.map(|(key, value)| {
        let rest = Nibbles::unpack(key).slice(path.len()..);
        let node = LeafNodeRef { key: &rest, value: &value };
        let mut rlp = Vec::with_capacity(node.length());
        node.encode(&mut rlp);
        rlp.into()
    }))
}

/// Finds nodes by their place, and makes sure that they have the hash that is asked for.
impl NodeSource for Snapshot {
    type Error = DatabaseError;

    const VERIFIED: bool = true;

    fn node(&self, owner: Option<B256>, path: &Nibbles, hash: B256) -> Result<Option<Bytes>, DatabaseError> {
        let found = self.read(|tables| match inner_node(tables, owner, path)? {
            Some(node) => Ok(Some(node)),
            None => leaf_node(tables, owner, path),
        })?;
        match found {
            Some(node) if keccak256(&node) == hash => Ok(Some(node)),
            Some(_) => Err(wrong_node(owner, path, &format!("not the node with hash {hash}"))),
            None => {
                Err(wrong_node(owner, path, &format!("no node, while there must be one with hash {hash}")))
            }
        }
    }
}

pub(super) fn wrong_node(owner: Option<B256>, path: &Nibbles, found: &str) -> DatabaseError {
    let trie = owner
        .map_or_else(|| "the trie of accounts".to_owned(), |owner| format!("the storage trie of {owner}"));
    let place = if path.is_empty() { "its root".to_owned() } else { format!("the path {}", digits(path)) };
    DatabaseError::Inconsistent(format!("{trie} has, at {place}, {found}"))
}

/// A path in hexadecimal, one digit a nibble.
fn digits(path: &Nibbles) -> String {
    path.iter().filter_map(|nibble| char::from_digit(nibble.into(), 16)).collect()
}
