use super::block::{BlockBody, Head};
use super::connection::Connection;
use super::error::DatabaseError;
use super::guard::guarded;
use super::tables::ReadTables;
use super::{meta, rows};
use alloy_consensus::{EthereumReceipt, Header};
use alloy_primitives::{B256, Bytes};
use alloy_rlp::Decodable;
use redb::{ReadOnlyTable, ReadableTable};
use std::{fmt, sync::Arc};

/// The database as it was after one commit, for any number of threads to read. Clones share it.
///
/// As a [`Store`](crate::Store) it answers for the state after its head.
#[derive(Clone)]
pub struct Snapshot {
    /// Opened once, so that a point read is one search in one table.
    tables: Arc<ReadTables>,
    head: Option<Head>,
    genesis: Option<B256>,
    /// Keeps the database open for as long as something is read from it.
    _connection: Arc<Connection>,
}

impl Snapshot {
    pub(super) fn new(connection: Arc<Connection>) -> Result<Self, DatabaseError> {
        let tables = ReadTables::open(&connection.begin_read()?)?;
        let (head, genesis) = (meta::head(&tables.meta)?, meta::genesis(&tables.meta)?);
        Ok(Self { tables: Arc::new(tables), head, genesis, _connection: connection })
    }

    /// The last block; `None` until a genesis is loaded.
    pub fn head(&self) -> Option<Head> {
        self.head
    }

    /// Hash of the genesis block, even while it is being loaded.
    pub fn genesis(&self) -> Option<B256> {
        self.genesis
    }

    /// The chain's configuration as it was given with the genesis.
    ///
    /// # Errors
    ///
    /// If the database cannot be read.
    pub fn config(&self) -> Result<Option<Bytes>, DatabaseError> {
        self.read(|tables| meta::config(&tables.meta))
    }

    /// The header of a block.
    ///
    /// # Errors
    ///
    /// If the database cannot be read.
    pub fn header(&self, number: u64) -> Result<Option<Header>, DatabaseError> {
        self.read(|tables| read_rlp(&tables.headers, number, "header"))
    }

    /// The transactions, ommers and withdrawals of a block.
    ///
    /// # Errors
    ///
    /// If the database cannot be read.
    pub fn body(&self, number: u64) -> Result<Option<BlockBody>, DatabaseError> {
        self.read(|tables| read_rlp(&tables.bodies, number, "body"))
    }

    /// The receipts of a block, one a transaction.
    ///
    /// # Errors
    ///
    /// If the database cannot be read.
    pub fn receipts(&self, number: u64) -> Result<Option<Vec<EthereumReceipt>>, DatabaseError> {
        self.read(|tables| read_rlp(&tables.receipts, number, "receipts"))
    }

    /// The number of the block with this hash.
    ///
    /// # Errors
    ///
    /// If the database cannot be read.
    pub fn block_number(&self, hash: B256) -> Result<Option<u64>, DatabaseError> {
        self.read(|tables| Ok(tables.hashes.get(&hash.0)?.map(|row| row.value())))
    }

    /// The block of the transaction with this hash, and its index there.
    ///
    /// # Errors
    ///
    /// If the database cannot be read.
    pub fn find_transaction(&self, hash: B256) -> Result<Option<(u64, u32)>, DatabaseError> {
        self.read(|tables| Ok(tables.transactions.get(&hash.0)?.map(|row| row.value())))
    }

    /// Reads from the tables.
    pub(super) fn read<T>(
        &self,
        read: impl FnOnce(&ReadTables) -> Result<T, DatabaseError>,
    ) -> Result<T, DatabaseError> {
        guarded(|| read(&self.tables))
    }

    /// The error for a block that is not in the chain.
    pub(super) fn unknown(&self, number: u64) -> DatabaseError {
        DatabaseError::UnknownBlock { number, head: self.head.map(|head| head.number) }
    }
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Snapshot").field("head", &self.head).finish_non_exhaustive()
    }
}

fn read_rlp<T: Decodable>(
    table: &ReadOnlyTable<u64, &'static [u8]>,
    number: u64,
    what: &str,
) -> Result<Option<T>, DatabaseError> {
    table.get(number)?.map(|row| rows::decode(row.value(), || format!("{what} {number}"))).transpose()
}
