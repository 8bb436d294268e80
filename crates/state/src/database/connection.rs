use super::error::DatabaseError;
use super::guard::{Engine, Open};
use super::lock::DirectoryLock;
use redb::{ReadTransaction, WriteTransaction};
use std::path::{Path, PathBuf};

/// The open database, which the clones of a handle and its snapshots share. The fields are dropped in this order: the engine is
/// closed before the lock is given up.
#[derive(Debug)]
pub(super) struct Connection {
    engine: Engine,
    /// `None` for a backend.
    file: Option<PathBuf>,
    /// Held while the directory is in use; `None` for a backend, and for a reader.
    _lock: Option<DirectoryLock>,
}

impl Connection {
    pub(super) fn new(open: Open, file: Option<PathBuf>, lock: Option<DirectoryLock>) -> Self {
        Self { engine: Engine::new(open), file, _lock: lock }
    }

    /// The file; `None` for a backend.
    pub(super) fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    /// Begins to read the state after the last commit.
    pub(super) fn begin_read(&self) -> Result<ReadTransaction, DatabaseError> {
        self.engine.begin_read()
    }

    /// Begins a write transaction whose commit is durable and leaves nothing to repair after a crash.
    pub(super) fn begin_write(&self) -> Result<WriteTransaction, DatabaseError> {
        let mut transaction = self.engine.begin_write()?;
        transaction.set_quick_repair(true);
        Ok(transaction)
    }
}
