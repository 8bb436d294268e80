use super::analysed_store::{AnalysedCodes, AnalysedStore, analyse};
use super::caches::Caches;
use super::clock::Sample;
use super::engine::{Engine, Expected};
use crate::bench::block_set::BlockSet;
use crate::bench::sample::digests;
use crate::shared::failure::Failure;
use crate::shared::plain::execute_plain;
use crate::shared::states::States;
use indicatif::ProgressBar;
use std::time::Duration;
use tandem_evm::PlainExecutor;
use tandem_state::MemoryStore;
use tandem_workload::SplitMix64;

/// All samples of a block set.
pub(super) struct Series {
    /// The workload; `None` if each block is a case of its own.
    pub(super) case: Option<String>,
    pub(super) expected: Vec<Expected>,
    worlds: Vec<MemoryStore>,
    chains: Vec<usize>,
    codes: AnalysedCodes,
    /// By engine and block, a sample each round.
    samples: Vec<Vec<Vec<Sample>>>,
}

impl Series {
    /// Has the plain loop execute the blocks, which gives the expected results.
    pub(super) fn new(set: BlockSet, engines: usize) -> Result<Self, Failure> {
        let BlockSet { case, names, mut source, worlds, chains } = set;
        let mut plain = PlainExecutor::new();
        let bar = ProgressBar::hidden();
        let progress = execute_plain(&mut plain, &mut source, &worlds, &chains, Duration::ZERO, &bar)?;
        let digests = digests(&names, &progress)?;
        let outputs = progress.results.into_iter().flatten().map(|executed| executed.output);
        let label = |name: String| case.as_ref().map_or(name.clone(), |case| format!("{case}: {name}"));
        let expected: Vec<_> = names
            .into_iter()
            .zip(outputs)
            .zip(digests)
            .map(|((name, output), digest)| Expected { name: label(name), output, digest })
            .collect();
        let mut codes = AnalysedCodes::default();
        let mut states = States::new(&worlds, &chains);
        for (index, Expected { output, .. }) in expected.iter().enumerate() {
            analyse(states.before(index), &mut codes);
            states.advance(index, &output.block, &output.changes);
        }
        let samples = vec![vec![Vec::new(); expected.len()]; engines];
        Ok(Self { case, expected, worlds, chains, codes, samples })
    }

    pub(super) fn blocks(&self) -> usize {
        self.expected.len()
    }

    /// The samples of an engine on a block.
    pub(super) fn of(&self, engine: usize, block: usize) -> &[Sample] {
        &self.samples[engine][block]
    }

    /// Has every engine execute every block once, block by block, the engines in random order. Samples are kept if `keep` says so.
    pub(super) fn round(
        &mut self,
        engines: &mut [Engine],
        caches: &mut Caches,
        rng: &mut SplitMix64,
        keep: bool,
        bar: &ProgressBar,
    ) -> Result<(), Failure> {
        let Self { expected, worlds, chains, codes, samples, .. } = self;
        let mut order: Vec<_> = (0..engines.len()).collect();
        let mut states = States::new(worlds, chains);
        for (index, block) in expected.iter().enumerate() {
            let store = AnalysedStore::new(states.before(index), codes);
            rng.shuffle(&mut order);
            for &engine in &order {
                let sample = engines[engine].call(&store, block, caches)?;
                if keep {
                    samples[engine][index].push(sample);
                }
            }
            states.advance(index, &block.output.block, &block.output.changes);
            bar.inc(1);
        }
        Ok(())
    }
}
