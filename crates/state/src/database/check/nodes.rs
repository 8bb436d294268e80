use super::progress::{Meter, Phase, Progress};
use super::report::CheckReport;
use super::walk::{TrieRows, walk};
use crate::database::error::DatabaseError;
use crate::database::nodes::wrong_node;
use crate::database::tables::ReadTables;
use crate::database::{keys, rows};
use alloy_primitives::B256;
use alloy_trie::{EMPTY_ROOT_HASH, Nibbles};
use redb::{OwnedAccessGuard, OwnedRange, ReadableTableMetadata};

type Row<K> = (OwnedAccessGuard<K>, OwnedAccessGuard<&'static [u8]>);

/// A table's rows, one ahead.
struct Rows<K: redb::Key + 'static> {
    rows: OwnedRange<K, &'static [u8]>,
    next: Option<Row<K>>,
}

impl<K: redb::Key + 'static> Rows<K> {
    fn new(mut rows: OwnedRange<K, &'static [u8]>) -> Result<Self, DatabaseError> {
        let next = rows.next().transpose()?;
        Ok(Self { rows, next })
    }

    fn take(&mut self) -> Result<Option<Row<K>>, DatabaseError> {
        match self.next.take() {
            Some(row) => {
                self.next = self.rows.next().transpose()?;
                Ok(Some(row))
            }
            None => Ok(None),
        }
    }
}

/// The storage tries one after another, as their rows lie in the tables.
struct StorageTries<'p> {
    nodes: Rows<&'static [u8]>,
    slots: Rows<&'static [u8; 64]>,
    /// The account whose trie is walked. Rows of others are left alone.
    owner: B256,
    meter: Meter<'p>,
}

/// The trie of accounts, whose leaves lead to the storage tries.
struct AccountTrie<'p> {
    nodes: Rows<&'static [u8]>,
    accounts: Rows<&'static [u8; 32]>,
    seen: u64,
    storage: StorageTries<'p>,
}

/// Walks all tries.
pub(super) fn check(
    tables: &ReadTables,
    report: &mut CheckReport,
    progress: &mut dyn FnMut(Progress),
) -> Result<(), DatabaseError> {
    let storage_nodes = tables.storage_nodes.len()?;
    let mut trie = AccountTrie {
        nodes: Rows::new(tables.account_nodes.range_owned(..)?)?,
        accounts: Rows::new(tables.accounts.range_owned(..)?)?,
        seen: 0,
        storage: StorageTries {
            nodes: Rows::new(tables.storage_nodes.range_owned(..)?)?,
            slots: Rows::new(tables.storage.range_owned(..)?)?,
            owner: B256::ZERO,
            meter: Meter::new(Phase::Nodes, storage_nodes + tables.account_nodes.len()?, progress),
        },
    };
    walk(&mut trie, None, report.state_root)?;
    if let Some((key, _)) = &trie.storage.nodes.next {
        let owner = key.value().first_chunk().map(|owner| B256::new(*owner));
        return Err(DatabaseError::Inconsistent(format!(
            "there is a node of the storage trie of {}, which does not exist",
            owner.unwrap_or_default()
        )));
    }
    report.account_nodes = trie.seen;
    report.storage_nodes = trie.storage.meter.finish() - trie.seen;
    Ok(())
}

impl TrieRows for AccountTrie<'_> {
    fn next_node(&mut self) -> Result<Option<Nibbles>, DatabaseError> {
        self.nodes.next.as_ref().map(|(key, _)| decode_path(None, key.value())).transpose()
    }

    fn take_node(&mut self) -> Result<Vec<u8>, DatabaseError> {
        self.seen += 1;
        self.storage.meter.step();
        Ok(self.nodes.take()?.map(|(_, row)| row.value().to_vec()).unwrap_or_default())
    }

    fn take_leaf(&mut self) -> Result<Option<(B256, Vec<u8>)>, DatabaseError> {
        let Some((key, row)) = self.accounts.take()? else { return Ok(None) };
        let key = B256::new(*key.value());
        let account = rows::decode_account(key, row.value())?;
        if account.storage_root != EMPTY_ROOT_HASH {
            self.storage.owner = key;
            walk(&mut self.storage, Some(key), account.storage_root)?;
        }
        Ok(Some((key, row.value().to_vec())))
    }
}

impl TrieRows for StorageTries<'_> {
    fn next_node(&mut self) -> Result<Option<Nibbles>, DatabaseError> {
        let Some((key, _)) = &self.nodes.next else { return Ok(None) };
        match key.value().split_first_chunk() {
            Some((owner, path)) if *owner == self.owner.0 => decode_path(Some(self.owner), path).map(Some),
            Some((owner, _)) if *owner > self.owner.0 => Ok(None),
            _ => Err(DatabaseError::Inconsistent(format!(
                "before account {}, there is a node of a storage trie that no account has",
                self.owner
            ))),
        }
    }

    fn take_node(&mut self) -> Result<Vec<u8>, DatabaseError> {
        self.meter.step();
        Ok(self.nodes.take()?.map(|(_, row)| row.value().to_vec()).unwrap_or_default())
    }

    fn take_leaf(&mut self) -> Result<Option<(B256, Vec<u8>)>, DatabaseError> {
        let next = self.slots.next.as_ref().map(|(key, _)| keys::split_slot(key.value()));
        if next.is_none_or(|(owner, _)| owner != self.owner) {
            return Ok(None);
        }
        let row = self.slots.take()?;
        Ok(row.map(|(key, row)| (keys::split_slot(key.value()).1, rows::trie_value(row.value()))))
    }
}

fn decode_path(owner: Option<B256>, key: &[u8]) -> Result<Nibbles, DatabaseError> {
    keys::path(key).ok_or_else(|| wrong_node(owner, &Nibbles::new(), "below it, a key that is no path"))
}
