use super::block::{Batch, BlockRecord, Head};
use super::connection::Connection;
use super::error::DatabaseError;
use super::tables::WriteTables;
use super::{leaves, meta, nodes, rows, undo_row};
use redb::ReadableTable;
use std::time::{Duration, Instant};

/// The statistics of a commit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct CommitStats {
    /// Blocks added or removed.
    pub blocks: u64,
    /// Leaves and inner nodes written or removed, those of wiped storage not counted.
    pub rows: u64,
    /// Time for changing the tables in memory.
    pub apply: Duration,
    /// Time for writing the changed pages and waiting for the disk.
    pub write: Duration,
}

impl CommitStats {
    /// Takes the time of both phases: what ran since `started`, and what is run now.
    pub(super) fn finish(
        mut self,
        started: Instant,
        transaction: redb::WriteTransaction,
    ) -> Result<Self, DatabaseError> {
        self.apply = started.elapsed();
        transaction.commit()?;
        self.write = started.elapsed() - self.apply;
        Ok(self)
    }
}

/// See `Database::commit`.
pub(super) fn commit(connection: &Connection, batch: &Batch) -> Result<CommitStats, DatabaseError> {
    let started = Instant::now();
    let transaction = connection.begin_write()?;
    let mut stats = CommitStats { blocks: batch.blocks.len() as u64, ..CommitStats::default() };
    {
        let mut tables = WriteTables::open(&transaction)?;
        let mut head = meta::head(&tables.meta)?.ok_or(DatabaseError::NoGenesis)?;
        for block in &batch.blocks {
            head = append(&mut tables, head, block)?;
            let storages = &block.leaves.storages;
            stats.rows += block.leaves.accounts.len() as u64;
            stats.rows += storages.iter().map(|(_, storage)| storage.slots.len() as u64).sum::<u64>();
        }
        stats.rows += nodes::write(&mut tables, &batch.nodes)?;
        meta::set_head(&mut tables.meta, &head)?;
    }
    stats.finish(started, transaction)
}

/// Adds a block to all tables but those of inner nodes, and returns it as the new head.
fn append(tables: &mut WriteTables<'_>, head: Head, block: &BlockRecord) -> Result<Head, DatabaseError> {
    let header = &block.header;
    if head.number.checked_add(1) != Some(header.number) || header.parent_hash != head.hash {
        return Err(DatabaseError::NotNext {
            number: header.number,
            parent: header.parent_hash,
            head: head.number,
            head_hash: head.hash,
        });
    }
    let undo = leaves::apply(tables, &block.leaves, &block.codes)?;
    tables.undo.insert(header.number, undo_row::encode(&undo).as_slice())?;
    insert_block(tables, block)
}

/// Writes header, body, receipts and the indices of a block.
pub(super) fn insert_block(tables: &mut WriteTables<'_>, block: &BlockRecord) -> Result<Head, DatabaseError> {
    let number = block.header.number;
    tables.headers.insert(number, rows::rlp(&block.header).as_slice())?;
    tables.hashes.insert(&block.hash.0, number)?;
    tables.bodies.insert(number, rows::rlp(&block.body).as_slice())?;
    tables.receipts.insert(number, rows::rlp(&block.receipts).as_slice())?;
    for (index, transaction) in (0..).zip(&block.body.transactions) {
        tables.transactions.insert(&transaction.tx_hash().0, (number, index))?;
    }
    Ok(Head { number, hash: block.hash, state_root: block.header.state_root })
}

/// Removes header, body, receipts, undo record and the indices of a block.
pub(super) fn remove_block(tables: &mut WriteTables<'_>, number: u64) -> Result<(), DatabaseError> {
    let missing =
        |what: &str| DatabaseError::Inconsistent(format!("the {what} of block {number} is missing"));
    let header: alloy_consensus::Header = match tables.headers.remove(number)? {
        Some(row) => rows::decode(row.value(), || format!("header {number}"))?,
        None => return Err(missing("header")),
    };
    let body: super::block::BlockBody = match tables.bodies.remove(number)? {
        Some(row) => rows::decode(row.value(), || format!("body {number}"))?,
        None => return Err(missing("body")),
    };
    tables.hashes.remove(&header.hash_slow().0)?;
    tables.receipts.remove(number)?;
    tables.undo.remove(number)?;
    for transaction in &body.transactions {
        tables.transactions.remove(&transaction.tx_hash().0)?;
    }
    Ok(())
}

/// The last block as a header row tells it.
pub(super) fn head_at(tables: &WriteTables<'_>, number: u64) -> Result<Option<Head>, DatabaseError> {
    let Some(row) = tables.headers.get(number)? else { return Ok(None) };
    let header: alloy_consensus::Header = rows::decode(row.value(), || format!("header {number}"))?;
    Ok(Some(Head { number, hash: header.hash_slow(), state_root: header.state_root }))
}
