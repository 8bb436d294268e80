//! Execution by the plain revm loop.

use super::execute::Progress;
use super::executed::{ExecutedBlock, Output};
use super::failure::Failure;
use super::slow_store::SlowStore;
use super::source::Source;
use super::states::States;
use indicatif::ProgressBar;
use std::time::{Duration, Instant};
use tandem_evm::{BlockHistory, ExecutionError, PlainExecutor, StoreRef};
use tandem_state::MemoryStore;

/// Runs blocks one after the other. Only `PlainExecutor::execute` is timed. Reads of the state take at least as long as
/// `latency`.
pub(crate) fn execute_plain(
    plain: &mut PlainExecutor,
    source: &mut Source,
    worlds: &[MemoryStore],
    chains: &[usize],
    latency: Duration,
    bar: &ProgressBar,
) -> Result<Progress<ExecutedBlock>, Failure> {
    let mut progress = Progress::default();
    let mut states = States::new(worlds, chains);
    while progress.results.len() < chains.len() {
        let index = progress.results.len();
        let block = match source.get(index) {
            Ok(block) => block,
            Err(error) => {
                progress.fail(error.to_string(), chains);
                continue;
            }
        };
        let state = states.before(index);
        let start = Instant::now();
        let result = plain.execute(&StoreRef(&SlowStore { store: state, latency }), &block);
        let time = start.elapsed();
        progress.time += time;
        bar.inc(1);
        match result {
            Ok(executed) => {
                let changes = executed.state_changes(&StoreRef(state)).map_err(Failure::fault)?;
                states.advance(index, &block, &changes);
                let output = Output {
                    block,
                    receipts: executed.receipts,
                    gas_used: executed.gas_used,
                    requests: executed.summary.requests,
                    changes,
                    parts: Vec::new(),
                };
                progress.results.push(Ok(ExecutedBlock { output, time, history: BlockHistory::default() }));
            }
            Err(error @ (ExecutionError::Transaction { .. } | ExecutionError::Block { .. })) => {
                progress.fail(error.to_string(), chains);
            }
            Err(error @ ExecutionError::Fork { .. }) => return Err(Failure::input(error)),
            Err(error) => return Err(Failure::fault(error)),
        }
    }
    Ok(progress)
}
