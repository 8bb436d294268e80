use crate::conflict::conflicts;
use crate::graph::Graph;
use crate::model::Model;
use crate::schedule::{makespan, speed_up};
use crate::trace::{Place, Trace};
use alloy_primitives::Address;
use alloy_primitives::map::HashSet;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tandem_evm::Location;

/// Spots looked at more closely, for each one asked for: half of them those with most conflicts, half those whose
/// conflicting steps take longest.
const CANDIDATES: usize = 4;

/// A spot where steps need what earlier steps of their block changed: a [`Place`], or an account with all its places.
#[derive(Clone, Debug, PartialEq)]
pub struct Hot<K> {
    /// Where.
    pub spot: K,
    /// Steps that need an earlier change there.
    pub conflicts: usize,
    /// Sequential time of these steps.
    pub time: Duration,
    /// Blocks in which that happens.
    pub blocks: Vec<usize>,
    /// How many times as fast these blocks would run, one at a time, without these conflicts.
    pub gain: f64,
    /// The time that this would save.
    pub saved: Duration,
}

/// What is left of the time if some spots do not conflict, all of them at once.
#[derive(Clone, Debug, PartialEq)]
pub struct Together<K> {
    /// The spot that is added to those before it.
    pub spot: K,
    /// How many times as fast all blocks would run, one at a time, without conflicts here and at the spots before.
    pub gain: f64,
    /// How many times as fast as one by one that is.
    pub speed_up: f64,
}

/// The spots of a trace, and what their conflicts cost on so many threads, one block at a time.
#[derive(Debug)]
pub struct Spots<'a, K> {
    trace: &'a Trace,
    graph: &'a Graph,
    model: Model,
    threads: usize,
    /// By location.
    spots: Vec<K>,
    /// The time of each block as it is.
    spans: Vec<Duration>,
}

impl<'a> Spots<'a, Place> {
    /// Every place for itself.
    pub fn places(trace: &'a Trace, graph: &'a Graph, model: Model, threads: usize) -> Self {
        Self::new(trace, graph, model, threads, Place::from)
    }
}

impl<'a> Spots<'a, Address> {
    /// Accounts, each with all its places: contracts, mostly.
    pub fn accounts(trace: &'a Trace, graph: &'a Graph, model: Model, threads: usize) -> Self {
        Self::new(trace, graph, model, threads, |location| location.address)
    }
}

impl<'a, K: Copy + Ord + std::hash::Hash> Spots<'a, K> {
    fn new(
        trace: &'a Trace,
        graph: &'a Graph,
        model: Model,
        threads: usize,
        spot: impl Fn(Location) -> K,
    ) -> Self {
        let spots = (0..trace.location_count()).map(|id| spot(trace.location(id))).collect();
        let mut all = Self { trace, graph, model, threads, spots, spans: Vec::new() };
        all.spans = (0..trace.blocks.len()).map(|block| all.span(graph, block)).collect();
        all
    }

    fn span(&self, graph: &Graph, block: usize) -> Duration {
        let steps = self.trace.blocks[block].steps.clone();
        makespan(self.trace, graph, self.model, steps, self.threads, usize::MAX / 2)
    }

    /// The spots with most conflicts, and those with the longest.
    fn candidates(&self, count: usize) -> Vec<(K, HashSet<usize>, Vec<usize>)> {
        let mut spots = BTreeMap::<K, HashSet<usize>>::new();
        for conflict in conflicts(self.trace, self.graph) {
            spots.entry(self.spots[conflict.edge.location]).or_default().insert(conflict.step);
        }
        let with_blocks = |(spot, steps): (K, HashSet<usize>)| {
            let mut blocks: Vec<_> = steps.iter().map(|step| self.trace.steps[*step].block).collect();
            blocks.sort_unstable();
            blocks.dedup();
            (spot, steps, blocks)
        };
        let mut spots: Vec<_> = spots.into_iter().map(with_blocks).collect();
        spots.sort_by_key(|(_, steps, _)| Reverse(steps.len()));
        let mut rest = spots.split_off(spots.len().min(count / 2));
        rest.sort_by_key(|(_, steps, _)| Reverse(self.time(steps)));
        rest.truncate(count - count / 2);
        spots.extend(rest);
        spots
    }

    fn time(&self, steps: &HashSet<usize>) -> Duration {
        steps.iter().map(|step| self.trace.steps[*step].time).sum()
    }

    /// The hottest spots by what their conflicts cost, each alone: at most `count`. `progress` is called once for each of
    /// [`Spots::effort`].
    pub fn hottest(&self, count: usize, progress: &dyn Fn()) -> Vec<Hot<K>> {
        let mut hot = Vec::new();
        for (spot, steps, blocks) in self.candidates(Self::effort(count)) {
            let without = self.graph.without(|location| self.spots[location] == spot);
            let before: Duration = blocks.iter().map(|block| self.spans[*block]).sum();
            let after: Duration = blocks.iter().map(|block| self.span(&without, *block)).sum();
            let (conflicts, gain) = (steps.len(), speed_up(before, after));
            let time = self.time(&steps);
            let saved = before.saturating_sub(after);
            hot.push(Hot { spot, conflicts, time, blocks, gain, saved });
            progress();
        }
        hot.sort_by_key(|hot| Reverse((hot.saved, hot.conflicts)));
        hot.truncate(count);
        hot
    }

    /// How often [`Spots::hottest`] calls `progress` at most.
    pub fn effort(count: usize) -> usize {
        count.saturating_mul(CANDIDATES)
    }

    /// Some of the given spots together: first the one that is worth most, then what is worth most beside it, and so on.
    ///
    /// Where two spots conflict in the same chain, neither is worth anything without the other. So this begins with all
    /// of them and leaves out, one after the other, what is missed least.
    pub fn together(&self, among: &[K]) -> Vec<Together<K>> {
        let blocks = self.blocks_of(among);
        let rest: Duration = (0..self.spans.len())
            .filter(|block| !blocks.contains(block))
            .map(|block| self.spans[block])
            .sum();
        let without = |gone: &HashSet<K>| -> Duration {
            let graph = self.graph.without(|location| gone.contains(&self.spots[location]));
            rest + blocks.iter().map(|block| self.span(&graph, *block)).sum::<Duration>()
        };
        let (serial, all) = (self.trace.time(), self.spans.iter().sum());
        let mut gone: HashSet<K> = among.iter().copied().collect();
        let mut together = Vec::new();
        let mut time = without(&gone);
        while !gone.is_empty() {
            let left_out = |spot: &K| {
                let mut fewer = gone.clone();
                fewer.remove(spot);
                (without(&fewer), *spot)
            };
            // In the order given, so that equals come out the same way each time.
            let least = among.iter().rev().filter(|spot| gone.contains(*spot)).map(left_out);
            let Some((less, spot)) = least.min_by_key(|(time, _)| *time) else { break };
            together.push(Together { spot, gain: speed_up(all, time), speed_up: speed_up(serial, time) });
            gone.remove(&spot);
            time = less;
        }
        together.reverse();
        together
    }

    /// Blocks with conflicts at any of these spots.
    fn blocks_of(&self, among: &[K]) -> Vec<usize> {
        let among: HashSet<K> = among.iter().copied().collect();
        let blocks: BTreeSet<usize> = conflicts(self.trace, self.graph)
            .filter(|conflict| among.contains(&self.spots[conflict.edge.location]))
            .map(|conflict| self.trace.steps[conflict.step].block)
            .collect();
        blocks.into_iter().collect()
    }
}
