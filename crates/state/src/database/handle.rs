use super::block::{Batch, Head};
use super::commit::CommitStats;
use super::connection::Connection;
use super::error::DatabaseError;
use super::genesis::GenesisLoader;
use super::guard::{Open, guarded};
use super::lock::DirectoryLock;
use super::options::DatabaseOptions;
use super::snapshot::Snapshot;
use super::stats::DatabaseStats;
use super::tables::ReadTables;
use super::unwind::Unwind;
use super::{commit, genesis, open, unwind};
use alloy_primitives::B256;
use std::{fs, path::Path, sync::Arc};

/// A handle to an open database; clones share it. It is closed with the last clone and snapshot.
///
/// Any number of threads may read through [`Snapshot`]s while one writes. So may other processes: see
/// [`Database::open_to_read`].
#[derive(Clone, Debug)]
pub struct Database {
    connection: Arc<Connection>,
}

impl Database {
    /// Opens the database in the directory `dir`. If there is none it is created, and the directory, too, unless the
    /// options say otherwise.
    ///
    /// # Errors
    ///
    /// If the directory cannot be used or is in use, or what it holds is no sound database of a known format.
    pub fn open(dir: &Path, options: &DatabaseOptions) -> Result<Self, DatabaseError> {
        open::require_directory(dir, options.create)?;
        let lock = DirectoryLock::take(dir)?;
        let writing = Open::Writing(guarded(|| open::open_file(dir, options))?);
        Ok(Self::over(Connection::new(writing, Some(open::file(dir)), Some(lock))))
    }

    /// Opens the database in the directory `dir` for reading, even if another process has it open and writes: each snapshot
    /// shows what was committed last. Nothing can be written through this handle.
    ///
    /// Where a process died such that the file has to be repaired, that is done first, for which no other process may have the
    /// database open.
    ///
    /// # Errors
    ///
    /// If there is none, or what the directory holds is no sound database of a known format.
    pub fn open_to_read(dir: &Path, options: &DatabaseOptions) -> Result<Self, DatabaseError> {
        open::require_directory(dir, false)?;
        match guarded(|| open::open_file_to_read(dir, options))? {
            Some(reading) => {
                Ok(Self::over(Connection::new(Open::Reading(reading), Some(open::file(dir)), None)))
            }
            None => Self::open(dir, &options.clone().create(false)),
        }
    }

    /// Opens the database that a storage backend holds, or creates one in an empty backend.
    ///
    /// # Errors
    ///
    /// If the backend fails or does not hold a sound database of a known format.
    pub fn open_with_backend(
        backend: impl redb::StorageBackend,
        options: &DatabaseOptions,
    ) -> Result<Self, DatabaseError> {
        let writing = Open::Writing(guarded(|| open::open_backend(backend, options))?);
        Ok(Self::over(Connection::new(writing, None, None)))
    }

    fn over(connection: Connection) -> Self {
        Self { connection: Arc::new(connection) }
    }

    /// A view of the database as it is after the last commit. It stays as it is while others are committed.
    ///
    /// Space that commits free is reused only when no snapshot from before them is left.
    ///
    /// # Errors
    ///
    /// If the database cannot be read.
    pub fn snapshot(&self) -> Result<Snapshot, DatabaseError> {
        guarded(|| Snapshot::new(self.connection.clone()))
    }

    /// The last block; `None` until a genesis is loaded.
    ///
    /// # Errors
    ///
    /// If the database cannot be read.
    pub fn head(&self) -> Result<Option<Head>, DatabaseError> {
        Ok(self.snapshot()?.head())
    }

    /// Starts to load a genesis, clearing away what is left of an earlier attempt.
    ///
    /// `config` is kept as it is, for [`Snapshot::config`].
    ///
    /// # Errors
    ///
    /// If the database already has a genesis, or cannot be written.
    pub fn begin_genesis(&self, hash: B256, config: &[u8]) -> Result<GenesisLoader<'_>, DatabaseError> {
        guarded(|| genesis::begin(&self.connection, hash, config))
    }

    /// Replaces the chain's configuration that was given with the genesis.
    ///
    /// # Errors
    ///
    /// If the database has no genesis, or cannot be written.
    pub fn replace_config(&self, config: &[u8]) -> Result<(), DatabaseError> {
        guarded(|| genesis::replace_config(&self.connection, config))
    }

    /// Adds blocks to the chain, in one durable commit: all of them or, on an error, none.
    ///
    /// # Errors
    ///
    /// If the first block does not follow the head or one of the others does not follow the one before it, or the
    /// database cannot be written.
    pub fn commit(&self, batch: &Batch) -> Result<CommitStats, DatabaseError> {
        guarded(|| commit::commit(&self.connection, batch))
    }

    /// Removes the blocks above [`Unwind::to`] and restores the state after it, in one durable commit.
    ///
    /// # Errors
    ///
    /// If the head has moved or the block is not in the chain, or the database cannot be written.
    pub fn commit_unwind(&self, unwind: &Unwind) -> Result<CommitStats, DatabaseError> {
        guarded(|| unwind::commit(&self.connection, unwind))
    }

    /// Rows and bytes of each table. Reads the whole database.
    ///
    /// # Errors
    ///
    /// If the database cannot be read.
    pub fn stats(&self) -> Result<DatabaseStats, DatabaseError> {
        let tables = guarded(|| ReadTables::open(&self.connection.begin_read()?)?.stats())?;
        let file = self.connection.file();
        let file_bytes = file.map(fs::metadata).transpose().map_err(|source| DatabaseError::Io { source })?;
        Ok(DatabaseStats { tables, file_bytes: file_bytes.map(|file| file.len()) })
    }
}
