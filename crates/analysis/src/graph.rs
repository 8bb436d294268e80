use crate::model::{Access, Model, accesses};
use crate::trace::{LocationId, Trace};
use alloy_primitives::map::HashMap;
use alloy_primitives::{Address, U256};
use std::ops::Range;
use std::time::Duration;

/// Changes at one location that a bound is tested against at most; what is older counts as needed.
const BOUND_SCAN: usize = 4096;

/// A step that another one needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edge {
    /// The step that changed the location.
    pub on: usize,
    /// Where. In [`Model::Account`] some location of the account.
    pub location: LocationId,
}

/// What each step of a trace needs of earlier ones, by a model.
///
/// Dependencies are by value: what a step left as it was is no change. A step that relies on a bound depends only on those
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
    /// What the last step needs of the one before.
    pub last: Option<Edge>,
}

/// A change of a location: by which step, and the value before.
type Change = (usize, U256);

impl Graph {
    /// The graph of a trace.
    pub fn new(trace: &Trace, model: Model) -> Self {
        let mut accounts = HashMap::<(u32, Address), usize>::default();
        let mut changes: Vec<Vec<Change>> = Vec::new();
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
                    changes.resize(unit + 1, Vec::new());
                }
                let changes = &mut changes[unit];
                match access {
                    Access::Read => add(&mut needed, changes, index, location),
                    Access::Bound(bound) => {
                        let kept = changes.iter().rev().take(BOUND_SCAN);
                        let kept = kept.take_while(|(_, before)| *before >= bound).count();
                        add(&mut needed, &changes[..changes.len() - kept], index, location);
                    }
                    // Who has read all earlier changes stands for them.
                    Access::Move(before) if !read.contains(&location) => changes.push((index, before)),
                    Access::Write(before) | Access::Move(before) => {
                        changes.clear();
                        changes.push((index, before));
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

    /// The graph without what the given locations bring about.
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

fn add(needed: &mut Vec<Edge>, changes: &[Change], step: usize, location: LocationId) {
    needed.extend(changes.iter().filter(|(on, _)| *on != step).map(|(on, _)| Edge { on: *on, location }));
}
