use crate::graph::Graph;
use crate::model::Model;
use crate::schedule::{makespan, speed_up};
use crate::trace::{Place, Trace};
use alloy_primitives::map::{HashMap, HashSet};
use std::collections::BTreeMap;
use std::time::Duration;

/// Places looked at more closely, for each one asked for: those with most conflicts first.
const CANDIDATES: usize = 4;

/// A place where steps need what earlier steps of their block changed.
#[derive(Clone, Debug, PartialEq)]
pub struct HotPlace {
    /// Where.
    pub place: Place,
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

/// The hottest places by what their conflicts cost on so many threads, one block at a time: at most `count`.
pub fn hottest(trace: &Trace, graph: &Graph, model: Model, threads: usize, count: usize) -> Vec<HotPlace> {
    let mut places = BTreeMap::<Place, (HashSet<usize>, HashSet<usize>)>::new();
    for (index, step) in trace.steps.iter().enumerate() {
        let start = trace.blocks[step.block].steps.start;
        for edge in graph.edges[index].iter().filter(|edge| edge.on >= start) {
            let (steps, blocks) = places.entry(trace.location(edge.location).into()).or_default();
            steps.insert(index);
            blocks.insert(step.block);
        }
    }
    let mut places: Vec<_> = places.into_iter().collect();
    places.sort_by_key(|(_, (steps, _))| std::cmp::Reverse(steps.len()));
    places.truncate(count * CANDIDATES);
    let mut spans = HashMap::<usize, Duration>::default();
    let mut span = |graph: &Graph, block: usize, kept: bool| {
        let range = trace.blocks[block].steps.clone();
        let simulate = || makespan(trace, graph, model, range, threads, usize::MAX / 2);
        if kept { *spans.entry(block).or_insert_with(simulate) } else { simulate() }
    };
    let mut hot = Vec::with_capacity(places.len());
    for (place, (steps, blocks)) in places {
        let without = graph.without(|location| Place::from(trace.location(location)) == place);
        let mut blocks: Vec<usize> = blocks.into_iter().collect();
        blocks.sort_unstable();
        let before: Duration = blocks.iter().map(|block| span(graph, *block, true)).sum();
        let after: Duration = blocks.iter().map(|block| span(&without, *block, false)).sum();
        let (conflicts, gain) = (steps.len(), speed_up(before, after));
        let time = steps.iter().map(|step| trace.steps[*step].time).sum();
        let saved = before.saturating_sub(after);
        hot.push(HotPlace { place, conflicts, time, blocks, gain, saved });
    }
    hot.sort_by_key(|hot| std::cmp::Reverse((hot.saved, hot.conflicts)));
    hot.truncate(count);
    hot
}
