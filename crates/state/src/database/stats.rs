use super::error::DatabaseError;
use redb::ReadableTableMetadata;

/// The contents of the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatabaseStats {
    /// Each table, in the order of the module's documentation.
    pub tables: Vec<TableStats>,
    /// Bytes of the file; `None` for a database in a storage backend.
    pub file_bytes: Option<u64>,
}

/// The contents of one table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableStats {
    /// The table's name.
    pub name: &'static str,
    /// Number of rows.
    pub rows: u64,
    /// Bytes of keys and values.
    pub stored_bytes: u64,
    /// Bytes of the pages that hold them, partly empty ones included.
    pub page_bytes: u64,
}

impl TableStats {
    pub(super) fn of(name: &'static str, table: &impl ReadableTableMetadata) -> Result<Self, DatabaseError> {
        let stats = table.stats()?;
        Ok(Self {
            name,
            rows: table.len()?,
            stored_bytes: stats.stored_bytes(),
            page_bytes: stats.stored_bytes() + stats.metadata_bytes() + stats.fragmented_bytes(),
        })
    }
}
