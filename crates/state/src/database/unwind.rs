use super::commit::{CommitStats, head_at, remove_block};
use super::connection::Connection;
use super::error::DatabaseError;
use super::snapshot::Snapshot;
use super::tables::WriteTables;
use super::undo::UndoRecord;
use super::{leaves, meta, nodes, undo_row};
use crate::trie::NodeUpdates;
use alloy_primitives::B256;
use redb::ReadableTable;
use std::time::Instant;

/// The way back to an earlier block.
///
/// [`Snapshot::undo_to`] tells the leaves, [`UndoRecord::changes`] turns them into changes for the tries, and these
/// give `nodes` and a root to compare with that of the earlier block.
#[derive(Clone, Debug)]
pub struct Unwind {
    /// Hash of the head that `nodes` were computed on.
    pub from: B256,
    /// Number of the block that is to be the head.
    pub to: u64,
    /// The inner nodes that differ between the two states.
    pub nodes: NodeUpdates,
}

impl Snapshot {
    /// The leaves that block `number` overwrote.
    ///
    /// # Errors
    ///
    /// If the block is not in the chain or is its first, or the database cannot be read.
    pub fn undo(&self, number: u64) -> Result<UndoRecord, DatabaseError> {
        if let Some(record) = self.read(|tables| read_undo(&tables.undo, number))? {
            return Ok(record);
        }
        let parent = number.checked_sub(1).map_or(Ok(None), |parent| self.header(parent))?;
        match (parent, self.header(number)?) {
            (Some(_), Some(_)) => Err(missing(number)),
            _ => Err(self.unknown(number)),
        }
    }

    /// The leaves that the blocks above `to` overwrote, as they were after block `to`.
    ///
    /// # Errors
    ///
    /// If the block is not in the chain or the database cannot be read.
    pub fn undo_to(&self, to: u64) -> Result<UndoRecord, DatabaseError> {
        let head = self.head().ok_or(DatabaseError::NoGenesis)?;
        if self.header(to)?.is_none() {
            return Err(self.unknown(to));
        }
        let mut merged = UndoRecord::default();
        for number in (to + 1..=head.number).rev() {
            merged.extend_back(self.undo(number)?);
        }
        Ok(merged)
    }
}

/// See `Database::commit_unwind`.
pub(super) fn commit(connection: &Connection, unwind: &Unwind) -> Result<CommitStats, DatabaseError> {
    let started = Instant::now();
    let transaction = connection.begin_write()?;
    let mut stats = CommitStats::default();
    {
        let mut tables = WriteTables::open(&transaction)?;
        let head = meta::head(&tables.meta)?.ok_or(DatabaseError::NoGenesis)?;
        if head.hash != unwind.from {
            return Err(DatabaseError::HeadMoved { found: head.hash, wanted: unwind.from });
        }
        let unknown = DatabaseError::UnknownBlock { number: unwind.to, head: Some(head.number) };
        let target = head_at(&tables, unwind.to)?.filter(|_| unwind.to <= head.number).ok_or(unknown)?;
        for number in (unwind.to + 1..=head.number).rev() {
            let undo = read_undo(&tables.undo, number)?.ok_or_else(|| missing(number))?;
            let back = leaves::apply(&mut tables, &undo.leaves(), &[])?;
            stats.rows +=
                (back.accounts.len() + back.storage.values().map(|slots| slots.len()).sum::<usize>()) as u64;
            for code in &undo.codes {
                tables.codes.remove(&code.0)?;
            }
            remove_block(&mut tables, number)?;
            stats.blocks += 1;
        }
        stats.rows += nodes::write(&mut tables, &unwind.nodes)?;
        meta::set_head(&mut tables.meta, &target)?;
    }
    stats.finish(started, transaction)
}

fn read_undo(
    table: &impl ReadableTable<u64, &'static [u8]>,
    number: u64,
) -> Result<Option<UndoRecord>, DatabaseError> {
    table.get(number)?.map(|row| undo_row::decode(number, row.value())).transpose()
}

fn missing(number: u64) -> DatabaseError {
    DatabaseError::Inconsistent(format!("the undo record of block {number} is missing"))
}
