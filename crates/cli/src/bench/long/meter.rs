use super::report::Row;
use crate::bench::args::Case;
use crate::shared::process::resident_memory;
use indicatif::ProgressBar;
use std::time::Duration;
use tandem_workload::ChainConfig;

/// Rows of a stream, so that its end can be compared with its beginning.
pub(super) const ROWS: usize = 10;
/// Some blocks in a row that were executed: by the engine, and by the plain loop.
#[derive(Default)]
pub(super) struct Executed {
    pub(super) blocks: usize,
    pub(super) transactions: usize,
    pub(super) time: Duration,
    pub(super) baseline: Duration,
}

/// Makes rows of pieces.
pub(super) struct Meter<'a> {
    pub(super) case: &'a Case,
    pub(super) config: &'a ChainConfig,
    pub(super) threads: usize,
    pub(super) bar: &'a ProgressBar,
    pub(super) rows: Vec<Row>,
    /// What the next row is about, as far as it is known.
    pub(super) open: Executed,
}

impl Meter<'_> {
    pub(super) fn add(&mut self, piece: &Executed) {
        self.bar.inc(piece.blocks as u64);
        let open = &mut self.open;
        open.blocks += piece.blocks;
        open.transactions += piece.transactions;
        open.time += piece.time;
        open.baseline += piece.baseline;
        let done: usize = self.rows.iter().map(|row| row.blocks).sum::<usize>() + open.blocks;
        let rows = self.rows.len() + 1;
        if done * ROWS >= rows * self.config.blocks {
            let Executed { blocks, transactions, time, baseline } = std::mem::take(open);
            self.rows.push(Row::new(
                self.case.name(),
                self.threads,
                (blocks, transactions),
                (baseline, time),
                resident_memory(),
            ));
        }
    }
}
