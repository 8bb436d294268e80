//! `tandem bench --long`: one stream that is too long to be kept.
//!
//! Blocks come in pieces. While a piece is made the stream goes on and has nothing to do, and the clock stands still.

mod meter;
mod pieces;
mod report;
mod unsealed;

use super::args::Case;
use super::block_set::executor;
use super::settings::Settings;
use crate::shared::builder::Builder;
use crate::shared::failure::Failure;
use crate::shared::process::peak_memory;
use crate::shared::progress::progress;
use indicatif::ProgressBar;
use meter::{Meter, Piece, ROWS};
use pieces::{Gate, Pieces};
use report::{Row, Summary};
use tandem_evm::{Config, Executor, StoreRef};
use tandem_workload::ChainConfig;
use unsealed::UnsealedChain;

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
    let mut meter = Meter { case, config, threads, bar, rows: Vec::new(), open: Piece::default() };
    let piece = (PIECE / config.transactions).min(config.blocks / ROWS).max(1);
    let pieces = Pieces::new(chain, config.blocks, piece, &store, &gate, |piece| meter.add(&piece));
    let (outcome, _) = executor.stream(pieces).run(|finished| {
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
