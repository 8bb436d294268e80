use super::progress::{Meter, Phase, Progress};
use super::report::CheckReport;
use crate::database::block::Head;
use crate::database::error::DatabaseError;
use crate::database::rows;
use crate::database::snapshot::Snapshot;
use crate::database::tables::ReadTables;
use alloy_consensus::{Header, proofs::calculate_transaction_root};
use redb::{ReadableTable, ReadableTableMetadata};
use std::fmt::Display;

/// Links the headers from genesis to head and looks for what belongs to each.
pub(super) fn check(
    tables: &ReadTables,
    snapshot: &Snapshot,
    report: &mut CheckReport,
    progress: &mut dyn FnMut(Progress),
) -> Result<(), DatabaseError> {
    let mut meter = Meter::new(Phase::Blocks, tables.headers.len()?, progress);
    let mut last: Option<Head> = None;
    for row in tables.headers.iter()? {
        let (number, row) = row?;
        let number = number.value();
        let header: Header = rows::decode(row.value(), || format!("header {number}"))?;
        let hash = header.hash_slow();
        match &last {
            None if snapshot.genesis() != Some(hash) => {
                return Err(fault(number, format!("it has the hash {hash} and is not the genesis")));
            }
            Some(parent) if number != parent.number + 1 || header.parent_hash != parent.hash => {
                return Err(fault(number, format!("it does not follow block {}", parent.number)));
            }
            _ => {}
        }
        if header.number != number || snapshot.block_number(hash)? != Some(number) {
            return Err(fault(number, format!("its hash {hash} does not lead to it")));
        }
        report.transactions += check_body(snapshot, &header)?;
        if last.is_some() {
            snapshot.undo(number)?;
        }
        last = Some(Head { number, hash, state_root: header.state_root });
        meter.step();
    }
    if last != snapshot.head() {
        return Err(DatabaseError::Inconsistent("the last header is not that of the head".to_owned()));
    }
    report.blocks = meter.finish();
    for (name, rows, expected) in [
        ("hashes", tables.hashes.len()?, report.blocks),
        ("bodies", tables.bodies.len()?, report.blocks),
        ("receipts", tables.receipts.len()?, report.blocks),
        ("undo", tables.undo.len()?, report.blocks.saturating_sub(1)),
        ("transactions", tables.transactions.len()?, report.transactions),
    ] {
        if rows != expected {
            return Err(DatabaseError::Inconsistent(format!(
                "the table {name} has {rows} rows instead of {expected}"
            )));
        }
    }
    Ok(())
}

/// The number of transactions of a block, all of which are in the index and have a receipt.
fn check_body(snapshot: &Snapshot, header: &Header) -> Result<u64, DatabaseError> {
    let number = header.number;
    let body = snapshot.body(number)?.ok_or_else(|| fault(number, "its body is missing"))?;
    if calculate_transaction_root(&body.transactions) != header.transactions_root {
        return Err(fault(number, "its transactions are not those that its header states"));
    }
    for (index, transaction) in (0..).zip(&body.transactions) {
        let hash = *transaction.tx_hash();
        if snapshot.find_transaction(hash)? != Some((number, index)) {
            return Err(fault(number, format!("its transaction {hash} is not in the index")));
        }
    }
    let receipts = snapshot.receipts(number)?.map(|receipts| receipts.len());
    if receipts != Some(body.transactions.len()) {
        return Err(fault(number, "it has not one receipt a transaction"));
    }
    Ok(body.transactions.len() as u64)
}

fn fault(number: u64, message: impl Display) -> DatabaseError {
    DatabaseError::Inconsistent(format!("block {number}: {message}"))
}
