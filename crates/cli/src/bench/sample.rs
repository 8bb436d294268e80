use super::alloy::Alloy;
use super::block_set::BlockSet;
use crate::shared::digest::block_digest;
use crate::shared::execute::{Progress, execute_stream};
use crate::shared::executed::ExecutedBlock;
use crate::shared::failure::Failure;
use crate::shared::mode::Mode;
use crate::shared::output::complain;
use crate::shared::plain::execute_plain;
use alloy_primitives::B256;
use indicatif::ProgressBar;
use std::time::Duration;
use tandem_evm::{Config, Cut, Executor, PlainExecutor};

/// One way to execute.
pub(crate) struct Variant {
    pub(crate) threads: usize,
    pub(crate) mode: Mode,
    executor: Executor,
}

impl Variant {
    /// The ways to execute with so many threads.
    pub(crate) fn all(threads: usize) -> Result<Vec<Self>, Failure> {
        let modes: &[Mode] = if threads == 1 { &[Mode::Serial] } else { &[Mode::Block, Mode::Stream] };
        modes
            .iter()
            .map(|&mode| {
                let executor = Executor::new(&Config::default().threads(threads)).map_err(Failure::input)?;
                Ok(Self { threads, mode, executor })
            })
            .collect()
    }

    pub(crate) fn cut(&self) -> Cut {
        if self.mode == Mode::Block { Cut::Batch } else { Cut::Never }
    }
}

/// The times of one way to execute a block set, a sample each.
#[derive(Clone, Default)]
pub(crate) struct Times {
    /// By block.
    pub(crate) blocks: Vec<Vec<Duration>>,
    pub(crate) total: Vec<Duration>,
}

impl Times {
    fn new(blocks: usize) -> Self {
        Self { blocks: vec![Vec::new(); blocks], total: Vec::new() }
    }

    /// The median time of everything together.
    pub(crate) fn median(&self) -> Duration {
        let mut sorted = self.total.clone();
        sorted.sort_unstable();
        sorted.get(sorted.len() / 2).copied().unwrap_or_default()
    }

    fn add<B>(&mut self, progress: &Progress<B>, time: impl Fn(&B) -> Duration) {
        let times = progress.results.iter().map(|result| result.as_ref().map_or(Duration::ZERO, &time));
        self.add_sample(times, progress.time);
    }

    fn add_sample(&mut self, blocks: impl IntoIterator<Item = Duration>, total: Duration) {
        self.blocks.iter_mut().zip(blocks).for_each(|(times, time)| times.push(time));
        self.total.push(total);
    }
}

/// All samples of a block set.
pub(crate) struct Series {
    plain: PlainExecutor,
    alloy: Alloy,
    pub(crate) baseline: Times,
    /// Of alloy-evm's executor.
    pub(crate) alloy_times: Times,
    /// By variant.
    pub(crate) variants: Vec<Times>,
}

impl Series {
    pub(crate) fn new(set: &BlockSet, variants: &[Variant]) -> Self {
        let times = Times::new(set.names.len());
        Self {
            plain: PlainExecutor::new(),
            alloy: Alloy::new(),
            baseline: times.clone(),
            alloy_times: times.clone(),
            variants: vec![times; variants.len()],
        }
    }

    /// Runs the plain loop, alloy-evm's executor and all variants once. Before the first sample they run once more, to compare their
    /// results and to warm up: caches of analysed code and buffers fill.
    pub(crate) fn sample(
        &mut self,
        set: &mut BlockSet,
        variants: &[Variant],
        latency: Duration,
        number: usize,
    ) -> Result<(), Failure> {
        let bar = ProgressBar::hidden();
        if number == 0 {
            let BlockSet { names, source, worlds, chains, .. } = set;
            let plain = execute_plain(&mut self.plain, source, worlds, chains, latency, &bar)?;
            let expected = digests(names, &plain)?;
            for variant in variants {
                let progress =
                    execute_stream(&variant.executor, variant.cut(), source, worlds, chains, latency, &bar)?;
                let progress = progress.map(ExecutedBlock::from);
                if let Some(at) = digests(names, &progress)?.iter().zip(&expected).position(|(a, b)| a != b) {
                    return Err(Failure::fault(format!(
                        "{}: with {} threads in {} mode the result differs from the plain loop's",
                        names[at],
                        variant.threads,
                        variant.mode.name()
                    )));
                }
            }
            self.alloy.expect(plain.results.into_iter().flatten());
            self.alloy.run(set, latency)?;
        }
        let BlockSet { source, worlds, chains, .. } = set;
        let progress = execute_plain(&mut self.plain, source, worlds, chains, latency, &bar)?;
        self.baseline.add(&progress, |block| block.time);
        // The first way after the plain loop changes from sample to sample.
        let ways = variants.len() + 1;
        for at in (0..ways).map(|turn| (turn + number) % ways) {
            let Some(variant) = variants.get(at) else {
                let times = self.alloy.run(set, latency)?;
                let total = times.iter().sum();
                self.alloy_times.add_sample(times, total);
                continue;
            };
            let BlockSet { source, worlds, chains, .. } = set;
            let progress =
                execute_stream(&variant.executor, variant.cut(), source, worlds, chains, latency, &bar)?;
            self.variants[at].add(&progress, |block| block.time);
        }
        Ok(())
    }
}

/// The digest of each block's results. A block that does not execute ends the benchmark.
pub(super) fn digests(names: &[String], progress: &Progress<ExecutedBlock>) -> Result<Vec<B256>, Failure> {
    let digest = |(result, name): (&Result<ExecutedBlock, String>, &String)| match result {
        Ok(executed) => Ok(block_digest(&executed.output)),
        Err(error) => {
            complain!("error: {name}: {error}");
            Err(Failure::Check)
        }
    };
    progress.results.iter().zip(names).map(digest).collect()
}
