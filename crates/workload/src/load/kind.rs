use super::call::{Call, Gas, Load};
use crate::contract::Contract;
use crate::error::WorkloadError;
use crate::rng::SplitMix64;
use crate::world::World;
use std::fmt;

/// Calls that a function makes, one by one. Their user places the contracts.
pub(super) struct Kind<F> {
    gas: u64,
    limit: u64,
    make: F,
}

impl<F: FnMut(&World, &mut SplitMix64) -> Call + Send> Kind<F> {
    /// `gas` is what a call uses on average, or a little more, `limit` its gas limit at most.
    pub(super) const fn new(gas: u64, limit: u64, make: F) -> Self {
        Self { gas, limit, make }
    }
}

impl<F> fmt::Debug for Kind<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kind").field("gas", &self.gas).field("limit", &self.limit).finish_non_exhaustive()
    }
}

impl<F: FnMut(&World, &mut SplitMix64) -> Call + Send> Load for Kind<F> {
    fn contracts(&self) -> Result<Vec<Contract>, WorkloadError> {
        Ok(Vec::new())
    }

    fn gas(&self, calls: usize) -> Gas {
        Gas::new(calls, self.gas, self.limit)
    }

    fn calls(&mut self, count: usize, world: &World, rng: &mut SplitMix64) -> Vec<Call> {
        (0..count).map(|_| (self.make)(world, rng)).collect()
    }
}
