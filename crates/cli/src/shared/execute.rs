use super::failure::Failure;
use super::slow_store::SlowStore;
use super::source::Source;
use indicatif::ProgressBar;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use tandem_evm::{BlockInput, Cut, ExecutionError, Executor, FinishedBlock, Metrics, StoreRef};
use tandem_state::MemoryStore;

/// The results of each block so far, and of the run as a whole. `B` is a block after its execution.
pub(crate) struct Progress<B> {
    pub(crate) results: Vec<Result<B, String>>,
    pub(crate) time: Duration,
    pub(crate) metrics: Metrics,
}

/// Runs blocks through the engine. A block that is invalid ends its stream; another one begins after it. Reads of the
/// base states take at least as long as `latency`.
pub(crate) fn execute_stream(
    executor: &Executor,
    cut: Cut,
    source: &mut Source,
    worlds: &[MemoryStore],
    chains: &[usize],
    latency: Duration,
    bar: &ProgressBar,
) -> Result<Progress<FinishedBlock>, Failure> {
    let slow: Vec<_> = worlds.iter().map(|store| SlowStore { store, latency }).collect();
    let stores: Vec<_> = slow.iter().map(StoreRef).collect();
    let mut progress = Progress::default();
    while progress.results.len() < chains.len() {
        let first = progress.results.len();
        let shared = Mutex::new(&mut *source);
        let inputs = (first..chains.len()).map_while(|index| {
            let block = shared.lock().unwrap_or_else(PoisonError::into_inner).get(index).ok()?;
            Some(BlockInput { block, store: &stores[chains[index]], world: chains[index] as u32 })
        });
        let start = Instant::now();
        let (blocks, metrics) = executor
            .stream(inputs)
            .cut(cut)
            .run(|finished| finished.inspect(|_| bar.inc(1)).collect::<Vec<_>>());
        progress.time += start.elapsed();
        progress.metrics.merge(&metrics);
        let mut failure = None;
        for block in blocks {
            match block {
                Ok(block) => progress.results.push(Ok(block)),
                Err(error @ (ExecutionError::Transaction { .. } | ExecutionError::Block { .. })) => {
                    failure = Some(error.to_string());
                }
                Err(error @ ExecutionError::Fork { .. }) => return Err(Failure::input(error)),
                Err(error) => return Err(Failure::fault(error)),
            }
        }
        let index = progress.results.len();
        if index < chains.len() {
            let error = failure.or_else(|| source.get(index).err().map(|error| error.to_string()));
            let Some(error) = error else {
                return Err(Failure::fault("a stream ended before its blocks did"));
            };
            progress.fail(error, chains);
        }
    }
    Ok(progress)
}

impl<B> Default for Progress<B> {
    fn default() -> Self {
        Self { results: Vec::new(), time: Duration::ZERO, metrics: Metrics::default() }
    }
}

impl<B> Progress<B> {
    /// The same run with its blocks in another form.
    pub(crate) fn map<C>(self, form: impl Fn(B) -> C) -> Progress<C> {
        let Self { results, time, metrics } = self;
        Progress { results: results.into_iter().map(|result| result.map(&form)).collect(), time, metrics }
    }

    /// Notes that the next block is invalid, and that those which follow it in its chain cannot run.
    pub(crate) fn fail(&mut self, error: String, chains: &[usize]) {
        let world = chains[self.results.len()];
        self.results.push(Err(error));
        while chains.get(self.results.len()) == Some(&world) {
            self.results.push(Err("not executed, since a block before it is invalid".to_owned()));
        }
    }
}
