use super::progress::{Meter, Phase, Progress};
use super::report::CheckReport;
use crate::database::error::DatabaseError;
use crate::database::tables::ReadTables;
use crate::database::{keys, rows};
use alloy_primitives::{B256, KECCAK256_EMPTY, keccak256};
use alloy_trie::{EMPTY_ROOT_HASH, HashBuilder, Nibbles};
use redb::{ReadableTable, ReadableTableMetadata};

/// Codes, then all roots.
pub(super) fn check(
    tables: &ReadTables,
    report: &mut CheckReport,
    progress: &mut dyn FnMut(Progress),
) -> Result<(), DatabaseError> {
    let mut meter = Meter::new(Phase::Codes, tables.codes.len()?, progress);
    for row in tables.codes.iter()? {
        let (hash, code) = row?;
        if keccak256(code.value()).0 != *hash.value() {
            return Err(fault(format!("the code with hash {} is another one", B256::new(*hash.value()))));
        }
        meter.step();
    }
    report.codes = meter.finish();
    check_roots(tables, report, progress)
}

/// The root of each account's storage, that each account's code is there, and the root of the state.
pub(super) fn check_roots(
    tables: &ReadTables,
    report: &mut CheckReport,
    progress: &mut dyn FnMut(Progress),
) -> Result<(), DatabaseError> {
    let mut meter = Meter::new(Phase::Leaves, tables.accounts.len()? + tables.storage.len()?, progress);
    let mut state = HashBuilder::default();
    let mut slots = tables.storage.iter()?;
    let mut next = slots.next().transpose()?;
    let mut last: Option<B256> = None;
    for row in tables.accounts.iter()? {
        let (key, row) = row?;
        let (key, row) = (B256::new(*key.value()), row.value());
        expect_order(last.replace(key), key)?;
        let account = rows::decode_account(key, row)?;
        if account.code_hash != KECCAK256_EMPTY && tables.codes.get(&account.code_hash.0)?.is_none() {
            return Err(fault(format!("account {key} has the code {}, which is missing", account.code_hash)));
        }
        let mut storage: Option<HashBuilder> = None;
        let mut last_slot: Option<B256> = None;
        while let Some((place, value)) = &next {
            let (owner, slot) = keys::split_slot(place.value());
            if owner < key {
                return Err(orphan(owner, slot));
            }
            if owner > key {
                break;
            }
            expect_order(last_slot.replace(slot), slot)?;
            let leaf = rows::trie_value(value.value());
            storage.get_or_insert_default().add_leaf(Nibbles::unpack(slot), &leaf);
            report.slots += 1;
            meter.step();
            next = slots.next().transpose()?;
        }
        let root = storage.map_or(EMPTY_ROOT_HASH, |mut storage| storage.root());
        if root != account.storage_root {
            return Err(fault(format!(
                "the slots of account {key} have the root {root}, while its row states {}",
                account.storage_root
            )));
        }
        state.add_leaf(Nibbles::unpack(key), row);
        report.accounts += 1;
        meter.step();
    }
    if let Some((place, _)) = next {
        let (owner, slot) = keys::split_slot(place.value());
        return Err(orphan(owner, slot));
    }
    meter.finish();
    report.state_root = state.root();
    Ok(())
}

/// A damaged table may give its rows in any order, which the hash builder does not take.
fn expect_order(last: Option<B256>, key: B256) -> Result<(), DatabaseError> {
    if last.is_none_or(|last| last < key) {
        return Ok(());
    }
    Err(fault(format!("the row with key {key} is out of order")))
}

fn orphan(owner: B256, slot: B256) -> DatabaseError {
    fault(format!("there is a slot {slot} of account {owner}, which does not exist"))
}

fn fault(message: String) -> DatabaseError {
    DatabaseError::Inconsistent(message)
}
