//! The storage engine panics on some damaged files. Nothing of that gets out of this module's functions.

use super::error::DatabaseError;
use redb::{ReadTransaction, ReadableDatabase, WriteTransaction};
use std::{
    any::Any,
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
};

/// Runs something that uses the engine, and turns a panic into an error: only damage makes the engine panic.
///
/// Half-done work of a panic is never committed: the engine rolls the transaction back or refuses further ones.
pub(super) fn guarded<T>(run: impl FnOnce() -> Result<T, DatabaseError>) -> Result<T, DatabaseError> {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|payload| {
        Err(DatabaseError::Corrupt(format!("the storage engine broke off: {}", message(&*payload))))
    })
}

/// The engine, closed without letting a panic out.
#[derive(Debug)]
pub(super) struct Engine {
    /// `None` only while it is dropped.
    open: Option<Open>,
}

/// An open engine.
pub(super) enum Open {
    /// The one that writes.
    Writing(redb::Database),
    /// One of those that read, even while another one writes.
    Reading(redb::ReadOnlyDatabase),
}

impl Engine {
    pub(super) fn new(open: Open) -> Self {
        Self { open: Some(open) }
    }

    /// Begins to read the state after the last commit.
    pub(super) fn begin_read(&self) -> Result<ReadTransaction, DatabaseError> {
        match &self.open {
            Some(Open::Writing(engine)) => Ok(engine.begin_read()?),
            Some(Open::Reading(engine)) => Ok(engine.begin_read()?),
            None => Err(DatabaseError::Internal("the database is closed".to_owned())),
        }
    }

    pub(super) fn begin_write(&self) -> Result<WriteTransaction, DatabaseError> {
        match &self.open {
            Some(Open::Writing(engine)) => Ok(engine.begin_write()?),
            Some(Open::Reading(_)) => Err(DatabaseError::ReadOnly),
            None => Err(DatabaseError::Internal("the database is closed".to_owned())),
        }
    }
}

impl fmt::Debug for Open {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Writing(_) => "Writing",
            Self::Reading(_) => "Reading",
        })
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        let open = self.open.take();
        // Closing only saves the next opening some work, so that there is nothing to report.
        let _ = guarded(|| {
            drop(open);
            Ok(())
        });
    }
}

fn message(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| payload.downcast_ref::<&str>().copied()).unwrap_or("without a message").to_owned()
}
