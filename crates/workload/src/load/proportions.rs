use super::call::{Call, Gas, Load};
use crate::contract::Contract;
use crate::error::WorkloadError;
use crate::rng::SplitMix64;
use crate::world::World;

/// Several loads, their bundles of calls in random order, in proportions that hold over the blocks: a part that gets too little in one
/// block gets more in one of the next.
#[derive(Debug)]
pub(crate) struct Proportions {
    contracts: Vec<Contract>,
    parts: Vec<Part>,
    /// Of all parts.
    weight: i64,
}

#[derive(Debug)]
struct Part {
    weight: i64,
    /// How many of its calls follow one another in a block.
    bundle: usize,
    /// Its deficit, in calls times the weight of all parts; negative if it had more than its share.
    owed: i64,
    load: Box<dyn Load>,
}

impl Proportions {
    /// The contracts that the loads do not bring themselves, and the loads: each with its weight, at least one of which is
    /// not zero, and how many of its calls (at least one) follow one another in a block.
    pub(super) fn new(contracts: Vec<Contract>, parts: Vec<(u32, usize, Box<dyn Load>)>) -> Self {
        let part =
            |(weight, bundle, load): (u32, _, _)| Part { weight: i64::from(weight), bundle, owed: 0, load };
        let parts: Vec<_> = parts.into_iter().map(part).collect();
        let weight = parts.iter().map(|part| part.weight).sum::<i64>().max(1);
        Self { contracts, parts, weight }
    }

    /// How many of so many calls are each part's. No part has two calls more than its share.
    fn counts(&mut self, calls: usize) -> Vec<usize> {
        let mut counts = vec![0; self.parts.len()];
        for (part, count) in self.parts.iter_mut().zip(&mut counts) {
            part.owed += calls as i64 * part.weight;
            *count = (part.owed / self.weight).max(0) as usize / part.bundle * part.bundle;
            part.owed -= *count as i64 * self.weight;
        }
        let mut left = calls as i64 - counts.iter().sum::<usize>() as i64;
        while left != 0 {
            // The part with the greatest deficit gets one more, or the one with the least gets one less.
            let order = |index: &usize| (self.parts[*index].owed * left.signum(), std::cmp::Reverse(*index));
            let able = (0..counts.len())
                .filter(|index| self.parts[*index].bundle == 1 && (left > 0 || counts[*index] > 0));
            let Some(index) = able.max_by_key(order) else { break };
            counts[index] = (counts[index] as i64 + left.signum()) as usize;
            self.parts[index].owed -= left.signum() * self.weight;
            left -= left.signum();
        }
        counts
    }
}

impl Load for Proportions {
    fn contracts(&self) -> Result<Vec<Contract>, WorkloadError> {
        let mut contracts = self.contracts.clone();
        for part in &self.parts {
            contracts.extend(part.load.contracts()?);
        }
        Ok(contracts)
    }

    fn gas(&self, calls: usize) -> Gas {
        let parts = self.parts.iter().map(|part| (part.load.gas(calls), part.weight as u64));
        let used = parts.clone().map(|(gas, weight)| gas.used * weight).sum::<u64>() / self.weight as u64;
        // Blocks differ.
        let used = used * 11 / 10;
        let highest_limit = parts.map(|(gas, _)| gas.highest_limit).max().unwrap_or_default();
        // Two of the dearest calls may come early, and others may be dearer than on average.
        Gas { used, most: used * 5 / 4 + highest_limit, highest_limit }
    }

    fn calls(&mut self, count: usize, world: &World, rng: &mut SplitMix64) -> Vec<Call> {
        let counts = self.counts(count);
        let mut bundles = Vec::with_capacity(count);
        for (part, count) in self.parts.iter_mut().zip(counts) {
            if count > 0 {
                let mut calls = part.load.calls(count, world, rng).into_iter();
                while calls.len() > 0 {
                    bundles.push(calls.by_ref().take(part.bundle).collect::<Vec<_>>());
                }
            }
        }
        rng.shuffle(&mut bundles);
        bundles.into_iter().flatten().collect()
    }
}
