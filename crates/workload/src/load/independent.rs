use super::call::{Call, Gas, Load};
use super::swaps::{GAS, GAS_LIMIT, any_swap, exchanges};
use crate::contract::Contract;
use crate::contracts::exchange;
use crate::error::WorkloadError;
use crate::pick::Pick;
use crate::rng::SplitMix64;
use crate::world::World;

/// Swaps that have nothing to do with each other: each of a block at an exchange of its own.
#[derive(Debug)]
pub(super) struct IndependentSwaps {
    pairs: usize,
    exchanges: Pick,
    calls: usize,
}

impl IndependentSwaps {
    /// `hot` is the share of the first exchange.
    pub(super) fn new(pairs: usize, hot: f64) -> Self {
        Self { pairs, exchanges: Pick::walk(pairs).with_hot(hot), calls: 0 }
    }
}

impl Load for IndependentSwaps {
    fn contracts(&self) -> Result<Vec<Contract>, WorkloadError> {
        exchanges((0..self.pairs).map(|index| [2 * index, 2 * index + 1]))
    }

    fn gas(&self, calls: usize) -> Gas {
        Gas::new(calls, GAS, GAS_LIMIT)
    }

    fn calls(&mut self, count: usize, world: &World, rng: &mut SplitMix64) -> Vec<Call> {
        let call = |_| {
            let pair = self.exchanges.draw(rng);
            // A pair's traders take turns.
            let traders = world.traders(pair);
            let sender = traders.start + self.calls / self.pairs % traders.len();
            self.calls += 1;
            Call::new(sender, exchange(pair), any_swap(rng), GAS_LIMIT)
        };
        (0..count).map(call).collect()
    }
}
