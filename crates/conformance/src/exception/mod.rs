//! The tests' names of reasons for which something must be refused.

mod block;
mod transaction;

use crate::rejection::Rejection;
use block::is_block_exception;
use transaction::{is_legacy_exception, is_transaction_exception};

/// Whether `rejection` is for the reason that a test states: one name, or several between bars of which any may hold.
///
/// # Errors
///
/// The first name that is unknown, unless one that is known holds. It is never taken for a reason that holds: it stays unchecked.
pub(crate) fn is_stated<'n>(stated: &'n str, rejection: &Rejection) -> Result<bool, &'n str> {
    let mut unknown = None;
    for name in stated.split('|').map(str::trim) {
        match is_named(name, rejection) {
            Some(true) => return Ok(true),
            Some(false) => {}
            None => unknown = unknown.or(Some(name)),
        }
    }
    unknown.map_or(Ok(false), Err)
}

/// Whether a reason goes by this name; `None` if the name is unknown.
fn is_named(name: &str, rejection: &Rejection) -> Option<bool> {
    if let Some(name) = name.strip_prefix("TransactionException.") {
        is_transaction_exception(name, rejection)
    } else if let Some(name) = name.strip_prefix("BlockException.") {
        is_block_exception(name, rejection)
    } else {
        is_legacy_exception(name, rejection)
    }
}
