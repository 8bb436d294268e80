//! Writing leaves and codes.

use super::error::DatabaseError;
use super::tables::WriteTables;
use super::undo::UndoRecord;
use super::{keys, rows};
use crate::trie::{LeafUpdates, StorageLeaves};
use alloy_primitives::{B256, Bytes, U256};
use redb::ReadableTable;
use std::collections::BTreeMap;

/// Writes the leaves and codes of one block and returns what they overwrote.
pub(super) fn apply(
    tables: &mut WriteTables<'_>,
    leaves: &LeafUpdates,
    codes: &[(B256, Bytes)],
) -> Result<UndoRecord, DatabaseError> {
    let mut undo = UndoRecord::default();
    for (key, account) in &leaves.accounts {
        let row = account.as_ref().map(rows::account);
        let old = match &row {
            Some(row) => tables.accounts.insert(&key.0, row.as_slice())?,
            None => tables.accounts.remove(&key.0)?,
        };
        if old.as_ref().map(|old| old.value()) != row.as_deref() {
            let old = old.map(|old| rows::decode_account(*key, old.value())).transpose()?;
            undo.accounts.insert(*key, old);
        }
    }
    for (owner, storage) in &leaves.storages {
        let old = write_storage(tables, *owner, storage)?;
        if !old.is_empty() {
            undo.storage.insert(*owner, old);
        }
    }
    for (hash, code) in codes {
        if tables.codes.get(&hash.0)?.is_none() {
            tables.codes.insert(&hash.0, code.as_ref())?;
            undo.codes.push(*hash);
        }
    }
    Ok(undo)
}

/// Writes one account's slots and returns the old values of those that changed.
fn write_storage(
    tables: &mut WriteTables<'_>,
    owner: B256,
    storage: &StorageLeaves,
) -> Result<BTreeMap<B256, U256>, DatabaseError> {
    let mut old = BTreeMap::new();
    if storage.wiped {
        let (first, last) = keys::slots_of(owner);
        for removed in tables.storage.extract_from_if(&first..=&last, |_, _| true)? {
            let (key, value) = removed?;
            old.insert(keys::split_slot(key.value()).1, rows::decode_value(value.value())?);
        }
    }
    for (slot, value) in &storage.slots {
        let key = keys::slot(owner, *slot);
        let replaced = if value.is_zero() {
            tables.storage.remove(&key)?
        } else {
            tables.storage.insert(&key, rows::value(*value).as_slice())?
        };
        let before = replaced.map_or(Ok(U256::ZERO), |row| rows::decode_value(row.value()))?;
        // A wiped slot has been seen already, and no longer shows what it was.
        if before != *value {
            old.entry(*slot).or_insert(before);
        }
        if storage.wiped && old.get(slot) == Some(value) {
            old.remove(slot);
        }
    }
    Ok(old)
}
