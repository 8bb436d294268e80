//! The rows of `meta`.

use super::block::Head;
use super::error::DatabaseError;
use alloy_primitives::{B256, Bytes};
use redb::{ReadableTable, Table};

/// The format of the tables that this program reads and writes.
pub(super) const VERSION: u32 = 1;

const VERSION_ROW: &str = "version";
const GENESIS_ROW: &str = "genesis";
const CONFIG_ROW: &str = "config";
const HEAD_ROW: &str = "head";

type MetaTable<'t> = Table<'t, &'static str, &'static [u8]>;

fn malformed(name: &str) -> DatabaseError {
    DatabaseError::Inconsistent(format!("the row {name} of the table meta is malformed"))
}

fn row<const N: usize>(
    meta: &impl ReadableTable<&'static str, &'static [u8]>,
    name: &str,
) -> Result<Option<[u8; N]>, DatabaseError> {
    meta.get(name)?.map(|row| row.value().try_into().map_err(|_| malformed(name))).transpose()
}

/// The format of the tables, or `None` if nothing has been written yet.
pub(super) fn version(
    meta: &impl ReadableTable<&'static str, &'static [u8]>,
) -> Result<Option<u32>, DatabaseError> {
    Ok(row(meta, VERSION_ROW)?.map(u32::from_be_bytes))
}

/// The hash of the genesis block, loaded or being loaded.
pub(super) fn genesis(
    meta: &impl ReadableTable<&'static str, &'static [u8]>,
) -> Result<Option<B256>, DatabaseError> {
    Ok(row(meta, GENESIS_ROW)?.map(B256::new))
}

/// The chain's configuration as the caller gave it.
pub(super) fn config(
    meta: &impl ReadableTable<&'static str, &'static [u8]>,
) -> Result<Option<Bytes>, DatabaseError> {
    Ok(meta.get(CONFIG_ROW)?.map(|row| Bytes::copy_from_slice(row.value())))
}

/// The last block; `None` until the genesis is complete.
pub(super) fn head(
    meta: &impl ReadableTable<&'static str, &'static [u8]>,
) -> Result<Option<Head>, DatabaseError> {
    let Some(row) = row::<72>(meta, HEAD_ROW)? else { return Ok(None) };
    let number =
        row.first_chunk().map(|bytes| u64::from_be_bytes(*bytes)).ok_or_else(|| malformed(HEAD_ROW))?;
    Ok(Some(Head { number, hash: B256::from_slice(&row[8..40]), state_root: B256::from_slice(&row[40..]) }))
}

/// Sets the format of the tables.
pub(super) fn set_version(meta: &mut MetaTable<'_>) -> Result<(), DatabaseError> {
    meta.insert(VERSION_ROW, VERSION.to_be_bytes().as_slice())?;
    Ok(())
}

/// Sets the chain's start.
pub(super) fn set_genesis(meta: &mut MetaTable<'_>, hash: B256, config: &[u8]) -> Result<(), DatabaseError> {
    meta.insert(GENESIS_ROW, hash.as_slice())?;
    meta.insert(CONFIG_ROW, config)?;
    Ok(())
}

/// Sets the last block.
pub(super) fn set_head(meta: &mut MetaTable<'_>, head: &Head) -> Result<(), DatabaseError> {
    let row =
        [head.number.to_be_bytes().as_slice(), head.hash.as_slice(), head.state_root.as_slice()].concat();
    meta.insert(HEAD_ROW, row.as_slice())?;
    Ok(())
}
