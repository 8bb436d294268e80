//! The findings of `tandem explain` as tables for other tools: a row for each transaction, a row for each conflict.

mod rows;
mod table;

use super::analysis::Analysis;
use super::output::{Output, Written};
use crate::shared::failure::Failure;
use std::path::Path;

/// Where the tables can be written.
#[derive(Debug)]
pub(super) struct Tables {
    transactions: Output,
    conflicts: Output,
}

impl Tables {
    /// Checks that both can be written. The folder is made with them.
    pub(super) fn new(folder: &Path) -> Result<Self, Failure> {
        Ok(Self {
            transactions: Output::new(&folder.join("transactions.parquet"))?,
            conflicts: Output::new(&folder.join("conflicts.parquet"))?,
        })
    }

    pub(super) fn write(&self, analysis: &Analysis<'_>) -> Result<[Written<'_>; 2], Failure> {
        let transactions = rows::transactions(analysis);
        let conflicts = rows::conflicts(analysis);
        Ok([
            self.transactions.write(|out| table::write(out, "transaction", transactions))?,
            self.conflicts.write(|out| table::write(out, "conflict", conflicts))?,
        ])
    }
}
