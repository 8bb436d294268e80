//! Checks a database from the ground up, in memory that does not grow with it.
//!
//! 1. The leaves: the root of every account's storage and the root of the state are computed anew from the flat rows
//!    alone; codes are hashed, and every code that an account names is looked for.
//! 2. The nodes: both node tables are walked from the roots down. Every node must have the hash that its parent gives
//!    it, every leaf must be reached, and no row may be left over.
//! 3. The blocks: headers are linked from the head to the genesis, and each block has its body, receipts, transaction
//!    index and undo record.

mod blocks;
mod leaves;
mod nodes;
mod progress;
mod report;
mod walk;

use super::error::DatabaseError;
use super::snapshot::Snapshot;
use alloy_primitives::B256;

pub use progress::{Phase, Progress};
pub use report::CheckReport;

/// Checks everything, and tells `progress` from time to time how far it is.
///
/// # Errors
///
/// The first fault found, by its place; [`DatabaseError::NoGenesis`] if there is nothing to check.
pub fn check(snapshot: &Snapshot, mut progress: impl FnMut(Progress)) -> Result<CheckReport, DatabaseError> {
    let head = snapshot.head().ok_or(DatabaseError::NoGenesis)?;
    let mut report = CheckReport::default();
    snapshot.read(|tables| {
        leaves::check(tables, &mut report, &mut progress)?;
        expect_root(report.state_root, head.state_root)?;
        nodes::check(tables, &mut report, &mut progress)?;
        blocks::check(tables, snapshot, &mut report, &mut progress)
    })?;
    Ok(report)
}

/// Computes the root of the state from the flat rows alone, and compares it with the head's.
///
/// # Errors
///
/// The first account whose storage has another root than its row says, a slot without an account, or a root that is not
/// that of the head.
pub fn recompute_root(
    snapshot: &Snapshot,
    mut progress: impl FnMut(Progress),
) -> Result<B256, DatabaseError> {
    let head = snapshot.head().ok_or(DatabaseError::NoGenesis)?;
    let mut report = CheckReport::default();
    snapshot.read(|tables| leaves::check_roots(tables, &mut report, &mut progress))?;
    expect_root(report.state_root, head.state_root)?;
    Ok(report.state_root)
}

fn expect_root(computed: B256, stated: B256) -> Result<(), DatabaseError> {
    if computed == stated {
        return Ok(());
    }
    Err(DatabaseError::Inconsistent(format!(
        "the accounts have the root {computed}, while the head's header states {stated}"
    )))
}
