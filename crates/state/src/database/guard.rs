//! The storage engine panics on some damaged files. Nothing of that gets out of this module's functions.

use super::DatabaseError;
use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
};

/// Runs something that uses the engine, and turns a panic into an error: what makes the engine panic is damage.
///
/// What a panic leaves half-done is never committed: the engine rolls the transaction back or refuses further ones.
pub(super) fn guarded<T>(run: impl FnOnce() -> Result<T, DatabaseError>) -> Result<T, DatabaseError> {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|payload| {
        Err(DatabaseError::Corrupt(format!("the storage engine broke off: {}", message(&*payload))))
    })
}

/// The engine, closed without letting a panic out.
#[derive(Debug)]
pub(super) struct Engine {
    /// `None` only while it is dropped.
    open: Option<redb::Database>,
}

impl Engine {
    pub(super) fn new(open: redb::Database) -> Self {
        Self { open: Some(open) }
    }

    pub(super) fn get(&self) -> Result<&redb::Database, DatabaseError> {
        self.open.as_ref().ok_or_else(|| DatabaseError::Internal("the database is closed".to_owned()))
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
