//! How fast blocks could run at best, by what their steps need of each other.

use super::block_set::BlockSet;
use super::sample::Variant;
use crate::shared::failure::Failure;
use crate::shared::mode::Mode;
use crate::shared::output::complain;
use crate::shared::slow_store::SlowStore;
use std::iter::Sum;
use std::time::Duration;
use tandem_analysis::{Graph, Input, LOOK_AHEAD, Model, Trace, limit, makespan, record_chains, speed_up};

/// Executions of each step, of which the fastest counts.
const REPEATS: usize = 5;

/// The time of some steps one by one, and the least that they could take on a number of threads.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Ideal {
    work: Duration,
    /// No schedule is better.
    limit: Duration,
    /// With a schedule that gives an idle thread the first step that needs nothing unfinished.
    in_order: Duration,
}

impl Ideal {
    /// The most that parallel execution can gain.
    pub(super) fn speed_up(&self) -> f64 {
        speed_up(self.work, self.limit)
    }

    /// The same for an engine that cannot know which steps to hurry with, and has no overhead.
    pub(super) fn in_order(&self) -> f64 {
        speed_up(self.work, self.in_order)
    }
}

impl Sum for Ideal {
    fn sum<I: Iterator<Item = Self>>(ideals: I) -> Self {
        ideals.fold(Self::default(), |sum, ideal| Self {
            work: sum.work + ideal.work,
            limit: sum.limit + ideal.limit,
            in_order: sum.in_order + ideal.in_order,
        })
    }
}

/// What one way to execute could make of a block set at best.
pub(super) struct Ideals {
    /// By block; of a stream there is none.
    pub(super) blocks: Vec<Ideal>,
    pub(super) total: Ideal,
}

impl Ideals {
    /// Measures how long each step of the block set takes by itself and what it needs, and gives the ideals of all variants.
    /// Reads of the base states take at least as long as `latency`.
    pub(super) fn measure(
        set: &mut BlockSet,
        variants: &[Variant],
        latency: Duration,
    ) -> Result<Vec<Self>, Failure> {
        let (trace, graph) = record(set, latency)?;
        Ok(variants.iter().map(|variant| Self::new(&trace, &graph, variant)).collect())
    }

    fn new(trace: &Trace, graph: &Graph, variant: &Variant) -> Self {
        let ideal = |range: std::ops::Range<usize>, look_ahead| Ideal {
            work: trace.steps[range.clone()].iter().map(|step| step.time).sum(),
            limit: limit(trace, graph, range.clone(), variant.threads),
            in_order: makespan(trace, graph, Model::Delta, range, variant.threads, look_ahead),
        };
        if variant.mode == Mode::Stream {
            return Self { blocks: Vec::new(), total: ideal(0..trace.steps.len(), LOOK_AHEAD) };
        }
        let blocks: Vec<_> =
            trace.blocks.iter().map(|block| ideal(block.steps.clone(), usize::MAX / 2)).collect();
        let total = blocks.iter().copied().sum();
        Self { blocks, total }
    }
}

/// Measures how long each step of the block set takes by itself and finds what it needs.
pub(super) fn record(set: &mut BlockSet, latency: Duration) -> Result<(Trace, Graph), Failure> {
    let BlockSet { names, source, worlds, chains, .. } = set;
    let stores: Vec<_> = worlds.iter().map(|store| SlowStore { store, latency }).collect();
    let mut inputs = Vec::with_capacity(names.len());
    for (index, name) in names.iter().enumerate() {
        let block = source.get(index).map_err(|error| {
            complain!("error: {name}: {error}");
            Failure::Check
        })?;
        inputs.push(Input { name: name.clone(), block, store: &stores[chains[index]] });
    }
    let worlds: Vec<u32> = chains.iter().map(|world| *world as u32).collect();
    let trace = record_chains(&inputs, &worlds, REPEATS, &|| {})?;
    let graph = Graph::new(&trace, Model::Delta);
    Ok((trace, graph))
}
