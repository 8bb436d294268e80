use crate::model::{Access, Model, accesses};
use crate::trace::{LocationId, Trace};
use alloy_primitives::map::HashMap;
use alloy_primitives::{Address, U256};
use std::ops::Range;
use std::time::Duration;

/// A step that another one needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edge {
    /// The step that changed the location.
    pub on: usize,
    /// Where. In [`Model::Account`] some location of the account.
    pub location: LocationId,
}

/// The needs of each step of a trace, by a model.
///
/// Dependencies are by value: a write that leaves a value as it was is no change. A step that relies on a bound depends only on those
/// without which the balance would be below it.
#[derive(Clone, Debug)]
pub struct Graph {
    /// By step.
    pub edges: Vec<Vec<Edge>>,
}

/// A chain of steps, each of which needs the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChainEnd {
    /// Time of its steps.
    pub time: Duration,
    /// Number of its steps.
    pub length: usize,
    /// The last step's needs of the one before.
    pub last: Option<Edge>,
}

/// The changes of a location that a reader of it needs.
#[derive(Clone, Debug, Default)]
struct Changes {
    /// By which steps, in order.
    steps: Vec<usize>,
    /// Of those before which the value was lower than before any later one: how many changes came before, and the value.
    /// Values rise, so that a bound finds the last change that it cannot do without by bisection.
    lows: Vec<(usize, U256)>,
}

impl Changes {
    fn push(&mut self, step: usize, before: U256) {
        while self.lows.last().is_some_and(|(_, low)| *low >= before) {
            self.lows.pop();
        }
        self.lows.push((self.steps.len(), before));
        self.steps.push(step);
    }

    fn clear(&mut self) {
        self.steps.clear();
        self.lows.clear();
    }

    /// The changes without which the value would be below `bound`: up to the last one before which it was.
    fn needed(&self, bound: U256) -> &[usize] {
        let below = self.lows.partition_point(|(_, low)| *low < bound);
        let count = below.checked_sub(1).map_or(0, |last| self.lows[last].0 + 1);
        &self.steps[..count]
    }
}

impl Graph {
    /// The graph of a trace.
    pub fn new(trace: &Trace, model: Model) -> Self {
        let mut accounts = HashMap::<(u32, Address), usize>::default();
        let mut changes: Vec<Changes> = Vec::new();
        let mut edges = Vec::with_capacity(trace.steps.len());
        for (index, step) in trace.steps.iter().enumerate() {
            let mut needed = Vec::<Edge>::new();
            let accesses = accesses(trace, step, model);
            let read: Vec<usize> =
                accesses.iter().filter(|(_, access)| *access == Access::Read).map(|(at, _)| *at).collect();
            for (location, access) in accesses {
                let unit = if model == Model::Account {
                    let place = trace.location(location);
                    let count = accounts.len();
                    *accounts.entry((place.world, place.address)).or_insert(count)
                } else {
                    location
                };
                if changes.len() <= unit {
                    changes.resize(unit + 1, Changes::default());
                }
                let changes = &mut changes[unit];
                match access {
                    Access::Read => add(&mut needed, &changes.steps, index, location),
                    Access::Bound(bound) => add(&mut needed, changes.needed(bound), index, location),
                    // A reader of all earlier changes stands for them.
                    Access::Move(before) if !read.contains(&location) => changes.push(index, before),
                    Access::Write(before) | Access::Move(before) => {
                        changes.clear();
                        changes.push(index, before);
                    }
                }
            }
            edges.push(needed);
        }
        Self { edges }
    }

    /// Number of steps, transactions only, that need an earlier step of their block.
    pub fn dependent(&self, trace: &Trace) -> Vec<usize> {
        let depends = |step: &usize| {
            let start = trace.blocks[trace.steps[*step].block].steps.start;
            trace.steps[*step].transaction.is_some() && self.edges[*step].iter().any(|edge| edge.on >= start)
        };
        (0..self.edges.len()).filter(depends).collect()
    }

    /// The graph without the needs that the given locations bring about.
    pub fn without(&self, is_gone: impl Fn(LocationId) -> bool) -> Self {
        let kept = |edges: &Vec<Edge>| edges.iter().copied().filter(|edge| !is_gone(edge.location)).collect();
        Self { edges: self.edges.iter().map(kept).collect() }
    }

    /// For each step in `range`, the chain of steps in it that ends there and takes longest.
    pub fn chain_ends(&self, trace: &Trace, range: Range<usize>) -> Vec<ChainEnd> {
        let start = range.start;
        let mut ends: Vec<ChainEnd> = Vec::with_capacity(range.len());
        for step in range {
            let within = self.edges[step].iter().filter(|edge| edge.on >= start);
            let last = within.max_by_key(|edge| ends[edge.on - start].time).copied();
            let before = last.map(|edge| ends[edge.on - start]);
            ends.push(ChainEnd {
                time: before.map_or(Duration::ZERO, |end| end.time) + trace.steps[step].time,
                length: before.map_or(0, |end| end.length) + 1,
                last,
            });
        }
        ends
    }

    /// The chain of steps in `range` that takes longest, each with what makes it need the one before.
    pub fn longest_chain(&self, trace: &Trace, range: Range<usize>) -> Vec<(usize, Option<Edge>)> {
        let start = range.start;
        let ends = self.chain_ends(trace, range);
        let longest = (0..ends.len()).max_by_key(|step| ends[*step].time);
        let mut chain = Vec::new();
        let mut next = longest.map(|step| step + start);
        while let Some(step) = next {
            let edge = ends[step - start].last;
            chain.push((step, edge));
            next = edge.map(|edge| edge.on);
        }
        chain.reverse();
        chain
    }
}

fn add(needed: &mut Vec<Edge>, changes: &[usize], step: usize, location: LocationId) {
    needed.extend(changes.iter().filter(|on| **on != step).map(|on| Edge { on: *on, location }));
}
