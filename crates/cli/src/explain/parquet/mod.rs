//! What `tandem explain` finds as tables for other tools: a row for each transaction, a row for each conflict.

mod rows;
mod table;

use super::analysis::Analysis;
use super::output::{Output, cannot_write};
use crate::failure::Failure;
use std::path::Path;

/// The files of the tables, which can be written.
#[derive(Debug)]
pub(super) struct Tables {
    transactions: Output,
    conflicts: Output,
}

impl Tables {
    /// Opens the files in a folder, which is made if it is not there.
    pub(super) fn new(folder: &Path) -> Result<Self, Failure> {
        std::fs::create_dir_all(folder).map_err(|error| cannot_write(folder, &error))?;
        Ok(Self {
            transactions: Output::file(&folder.join("transactions.parquet"))?,
            conflicts: Output::file(&folder.join("conflicts.parquet"))?,
        })
    }

    pub(super) fn write(self, analysis: &Analysis<'_>) -> Result<(), Failure> {
        self.transactions.write(|out| table::write(out, "transaction", rows::transactions(analysis)))?;
        self.conflicts.write(|out| table::write(out, "conflict", rows::conflicts(analysis)))
    }
}
