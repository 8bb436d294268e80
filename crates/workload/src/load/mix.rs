use super::call::{Call, Gas, Load};
use crate::contract::Contract;
use crate::error::WorkloadError;
use crate::rng::SplitMix64;
use crate::world::World;

/// Several loads in random order.
#[derive(Debug)]
pub(super) struct Mix {
    /// Loads with how many calls in a hundred are theirs. The first one gets the rest of rounding.
    parts: Vec<(usize, Box<dyn Load>)>,
}

impl Mix {
    pub(super) fn new<const N: usize>(parts: [(usize, Box<dyn Load>); N]) -> Self {
        Self { parts: parts.into() }
    }

    /// How many of so many calls are each part's.
    fn counts(&self, calls: usize) -> Vec<usize> {
        let mut counts: Vec<_> = self.parts.iter().map(|(percent, _)| calls * percent / 100).collect();
        let rest = calls - counts.iter().sum::<usize>();
        counts[0] += rest;
        counts
    }
}

impl Load for Mix {
    fn contracts(&self) -> Result<Vec<Contract>, WorkloadError> {
        let mut contracts = Vec::new();
        for (_, part) in &self.parts {
            contracts.extend(part.contracts()?);
        }
        Ok(contracts)
    }

    fn gas(&self, calls: usize) -> Gas {
        let counts = self.counts(calls);
        let gas = self.parts.iter().zip(counts).filter(|(_, count)| *count > 0);
        gas.map(|((_, part), count)| part.gas(count)).fold(Gas::default(), Gas::plus)
    }

    fn calls(&mut self, count: usize, world: &World, rng: &mut SplitMix64) -> Vec<Call> {
        let counts = self.counts(count);
        let mut calls = Vec::with_capacity(count);
        for ((_, part), count) in self.parts.iter_mut().zip(counts) {
            calls.extend(part.calls(count, world, rng));
        }
        rng.shuffle(&mut calls);
        calls
    }
}
