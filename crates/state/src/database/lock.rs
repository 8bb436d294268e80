use super::error::DatabaseError;
use std::{
    fs::{File, OpenOptions, TryLockError},
    io,
    path::Path,
};

/// Holds the data directory for this handle. The lock goes with the file, so that a process that dies leaves none.
#[derive(Debug)]
pub(super) struct DirectoryLock {
    _file: File,
}

impl DirectoryLock {
    /// Takes the lock, or says which process cannot.
    pub(super) fn take(dir: &Path) -> Result<Self, DatabaseError> {
        let path = dir.join("LOCK");
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(|source| unwritable(&path, source))?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(DatabaseError::InUse { dir: dir.to_owned() }),
            Err(TryLockError::Error(source)) => Err(DatabaseError::Io { source }),
        }
    }
}

/// The error of a path that could not be opened for writing or created.
pub(super) fn unwritable(path: &Path, source: io::Error) -> DatabaseError {
    DatabaseError::Unwritable { path: path.to_owned(), source }
}
