//! The tables by name and type, opened all at once.

use super::error::DatabaseError;
use super::stats::TableStats;
use redb::{ReadOnlyTable, ReadTransaction, Table, TableDefinition, WriteTransaction};

/// Declares the tables once: their definitions, a struct that holds all of them for reading, and one for writing.
macro_rules! tables {
    ($($field:ident, $constant:ident: $key:ty => $value:ty;)*) => {
        $(pub(super) const $constant: TableDefinition<'_, $key, $value> = TableDefinition::new(stringify!($field));)*

        /// All tables of one read transaction, which lives as long as they do.
        pub(super) struct ReadTables {
            $(pub(super) $field: ReadOnlyTable<$key, $value>,)*
        }

        impl ReadTables {
            pub(super) fn open(transaction: &ReadTransaction) -> Result<Self, DatabaseError> {
                Ok(Self { $($field: transaction.open_table($constant)?,)* })
            }

            /// Rows and bytes of each table.
            pub(super) fn stats(&self) -> Result<Vec<TableStats>, DatabaseError> {
                Ok(vec![$(TableStats::of(stringify!($field), &self.$field)?,)*])
            }
        }

        /// All tables of one write transaction; to be dropped before it commits.
        pub(super) struct WriteTables<'t> {
            $(pub(super) $field: Table<'t, $key, $value>,)*
        }

        impl<'t> WriteTables<'t> {
            /// Opens the tables, creating those that are not there.
            pub(super) fn open(transaction: &'t WriteTransaction) -> Result<Self, DatabaseError> {
                Ok(Self { $($field: transaction.open_table($constant)?,)* })
            }
        }

        /// Deletes all tables with their rows.
        pub(super) fn delete_all(transaction: &WriteTransaction) -> Result<(), DatabaseError> {
            $(transaction.delete_table($constant)?;)*
            Ok(())
        }
    };
}

tables! {
    accounts, ACCOUNTS: &'static [u8; 32] => &'static [u8];
    storage, STORAGE: &'static [u8; 64] => &'static [u8];
    codes, CODES: &'static [u8; 32] => &'static [u8];
    account_nodes, ACCOUNT_NODES: &'static [u8] => &'static [u8];
    storage_nodes, STORAGE_NODES: &'static [u8] => &'static [u8];
    headers, HEADERS: u64 => &'static [u8];
    hashes, HASHES: &'static [u8; 32] => u64;
    bodies, BODIES: u64 => &'static [u8];
    receipts, RECEIPTS: u64 => &'static [u8];
    transactions, TRANSACTIONS: &'static [u8; 32] => (u64, u32);
    undo, UNDO: u64 => &'static [u8];
    meta, META: &'static str => &'static [u8];
}
