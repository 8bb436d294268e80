//! `tandem bench --long`: one stream that is too long to be kept.
//!
//! Blocks come in pieces. While a piece is made the stream goes on and has nothing to do, and the clock stands still.

mod pieces;
mod report;
mod unsealed;

use super::Settings;
use super::args::Case;
use super::group::executor;
use crate::failure::Failure;
use crate::generate::Builder;
use crate::process::{peak_memory, resident_memory};
use crate::run::progress;
use indicatif::ProgressBar;
use pieces::{Gate, Pieces};
use report::{Row, Summary};
use std::time::Duration;
use tandem_evm::{Config, Cut, Executor, StoreRef};
use tandem_workload::ChainConfig;
use unsealed::UnsealedChain;

/// Rows of a stream, so that its end can be compared with its beginning.
const ROWS: usize = 10;
/// Transactions that are generated at once, at most.
const PIECE: usize = 100_000;

pub(super) fn long(settings: &Settings) -> Result<(), Failure> {
    for case in &settings.cases {
        for &threads in &settings.threads {
            let config = case.config(&settings.chain)?;
            let bar = progress(config.blocks, "executing", settings.json);
            let rows = run(case, &config, threads, &bar)?;
            bar.finish_and_clear();
            let summary = Summary::new(&rows, peak_memory());
            report::report(&rows, summary.as_ref(), settings.json)?;
        }
    }
    Ok(())
}

/// Runs a chain once.
fn run(case: &Case, config: &ChainConfig, threads: usize, bar: &ProgressBar) -> Result<Vec<Row>, Failure> {
    let chain = UnsealedChain::new(Builder::new(&executor()?, config, |_| {})?.into_unsealed());
    let executor = Executor::new(&Config::default().threads(threads)).map_err(Failure::input)?;
    let base = chain.state().clone();
    let store = StoreRef(&base);
    let gate = Gate::default();
    let mut meter = Meter { case, config, threads, bar, rows: Vec::new(), open: Executed::default() };
    let piece = (PIECE / config.transactions).min(config.blocks / ROWS).max(1);
    let pieces = Pieces::new(chain, config.blocks, piece, &store, &gate, |piece| meter.add(&piece));
    let (outcome, _) = executor.stream(pieces, Cut::Never, |finished| {
        for block in finished {
            match block {
                Ok(block) => gate.finish(block),
                Err(error) => {
                    gate.fail();
                    return Err(Failure::fault(error));
                }
            }
        }
        Ok(())
    });
    outcome?;
    gate.verdict()?;
    Ok(meter.rows)
}

/// Some blocks in a row that were executed: by the engine, and by the plain loop.
#[derive(Default)]
struct Executed {
    blocks: usize,
    transactions: usize,
    time: Duration,
    baseline: Duration,
}

/// Makes rows of pieces.
struct Meter<'a> {
    case: &'a Case,
    config: &'a ChainConfig,
    threads: usize,
    bar: &'a ProgressBar,
    rows: Vec<Row>,
    /// What the next row is about, as far as it is known.
    open: Executed,
}

impl Meter<'_> {
    fn add(&mut self, piece: &Executed) {
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
