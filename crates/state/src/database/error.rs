use alloy_primitives::B256;
use std::{io, path::PathBuf};

/// Why the database could not be opened, read or written. All of these are faults; none says anything about a block.
///
/// After a failed commit the database stands as it was before it, or, if only the answer was lost, as it was to be
/// after it. Open it again to find out.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// There is no database, and none was to be created.
    #[error("{} holds no database; check the path, or initialize one there first", dir.display())]
    Missing {
        /// The directory that was searched.
        dir: PathBuf,
    },
    /// The directory above the data directory is not there.
    #[error("cannot create {}: {} does not exist; create it first", dir.display(), parent.display())]
    MissingParent {
        /// The data directory.
        dir: PathBuf,
        /// The directory that would hold it.
        parent: PathBuf,
    },
    /// The data directory is something else.
    #[error("{} is not a directory; give a directory to keep the database in", path.display())]
    NotADirectory {
        /// The path as it was given.
        path: PathBuf,
    },
    /// The data directory or a file in it cannot be written.
    #[error("cannot write to {}: {source}; make it writable or choose another directory", path.display())]
    Unwritable {
        /// The directory or file.
        path: PathBuf,
        /// The operating system's error.
        source: io::Error,
    },
    /// Another process, or another handle of this one, has the database open.
    #[error("the database in {} is in use; wait until the other process has ended, or stop it; reading is possible meanwhile", dir.display())]
    InUse {
        /// The data directory.
        dir: PathBuf,
    },
    /// The handle was opened to read only.
    #[error("the database was opened to be read; open it to write")]
    ReadOnly,
    /// The file is no database.
    #[error("{} is not a database of this program; move it away or choose another directory", file.display())]
    NotADatabase {
        /// The file.
        file: PathBuf,
    },
    /// The file is damaged or incomplete: a checksum fails, or the storage engine breaks off.
    #[error(
        "the database is damaged ({0}); check the disk, then restore a copy of the data directory or import again"
    )]
    Corrupt(String),
    /// The database was written by a version of the program that keeps it in another form.
    #[error(
        "the database has the format {found}, this program reads format {supported}; use the version of the \
         program that wrote it, or import into a new directory"
    )]
    Version {
        /// The format of the database.
        found: u32,
        /// The format that this program reads and writes.
        supported: u32,
    },
    /// The database belongs to another chain.
    #[error(
        "the database starts from genesis {found}, not from {wanted}; choose the directory or the genesis that fits"
    )]
    Genesis {
        /// The genesis of the database.
        found: B256,
        /// The genesis that was asked for.
        wanted: B256,
    },
    /// There is no complete genesis yet.
    #[error("the database has no genesis, or its loading was interrupted; load the genesis first")]
    NoGenesis,
    /// There is a genesis, and blocks may stand on it.
    #[error("the database already has the genesis {0}; choose a new directory to start over")]
    HasGenesis(B256),
    /// A block does not stand on the database's head.
    #[error(
        "block {number} with parent {parent} does not follow the head, block {head} with hash {head_hash}"
    )]
    NotNext {
        /// The block's number.
        number: u64,
        /// The hash of its parent.
        parent: B256,
        /// The head's number.
        head: u64,
        /// The head's hash.
        head_hash: B256,
    },
    /// The head moved since the nodes of an unwind were computed.
    #[error("the head is {found}, not {wanted}, from which the unwind was computed; compute it again")]
    HeadMoved {
        /// The head's hash.
        found: B256,
        /// The hash of the head that the unwind was computed on.
        wanted: B256,
    },
    /// A block is not in the database.
    #[error("the database has no block {number}{}", head_hint(*head))]
    UnknownBlock {
        /// The block's number.
        number: u64,
        /// The head's number, if there is one.
        head: Option<u64>,
    },
    /// The file system could not read or write.
    #[error("the database's storage failed: {source}{}", advice(source))]
    Io {
        /// The operating system's error.
        source: io::Error,
    },
    /// An earlier write failed, since when nothing more is written.
    #[error("the database stopped after a failed write; remedy its cause and open the database again")]
    Stopped,
    /// Rows contradict each other.
    #[error(
        "the database contradicts itself: {0}; check the disk, then restore a copy of the data directory or \
         import again"
    )]
    Inconsistent(String),
    /// A defect of the program or of the storage engine.
    #[error("internal error of the database: {0}; open the database again, and report this")]
    Internal(String),
}

fn head_hint(head: Option<u64>) -> String {
    head.map_or_else(|| "; it is empty".to_owned(), |head| format!("; its last block is {head}"))
}

fn advice(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "; free some space and open the database again"
        }
        _ => "; check the disk and open the database again",
    }
}

impl From<redb::Error> for DatabaseError {
    fn from(error: redb::Error) -> Self {
        match error {
            redb::Error::Io(source) if source.kind() == io::ErrorKind::UnexpectedEof => {
                Self::Corrupt("the file ends too early".to_owned())
            }
            redb::Error::Io(source) => Self::Io { source },
            redb::Error::PreviousIo => Self::Stopped,
            redb::Error::Corrupted(message) => Self::Corrupt(message),
            other => Self::Internal(other.to_string()),
        }
    }
}

macro_rules! from_redb {
    ($($error:ident),*) => {
        $(impl From<redb::$error> for DatabaseError {
            fn from(error: redb::$error) -> Self {
                redb::Error::from(error).into()
            }
        })*
    };
}

from_redb!(StorageError, TableError, TransactionError, CommitError, DatabaseError);
