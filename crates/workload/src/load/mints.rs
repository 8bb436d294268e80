use super::call::{Call, Gas, Load};
use crate::contract::Contract;
use crate::contracts::{Artifact, COLLECTIONS, collection, encode_call};
use crate::error::WorkloadError;
use crate::pick::Pick;
use crate::rng::SplitMix64;
use crate::world::World;
use alloy_primitives::U256;

const GAS_LIMIT: u64 = 120_000;

/// Gas of a sender's first mint; further ones use less.
const GAS: u64 = 77_000;

/// Mints of non-fungible tokens.
#[derive(Debug)]
pub(super) struct Mints {
    senders: Pick,
    collections: Pick,
}

impl Mints {
    /// `hot` is the share of the first collection.
    pub(super) fn new(senders: Pick, hot: f64) -> Self {
        Self { senders, collections: Pick::uniform(COLLECTIONS).with_hot(hot) }
    }
}

impl Load for Mints {
    fn contracts(&self) -> Result<Vec<Contract>, WorkloadError> {
        let artifact = Artifact::collection()?;
        let variables = [("nextId", U256::ONE), ("limit", U256::from(u64::MAX))];
        (0..COLLECTIONS)
            .map(|index| Contract::with_variables(collection(index), &artifact, &variables))
            .collect()
    }

    fn gas(&self, calls: usize) -> Gas {
        Gas::new(calls, GAS, GAS_LIMIT)
    }

    fn calls(&mut self, count: usize, _: &World, rng: &mut SplitMix64) -> Vec<Call> {
        let call = |_| {
            let sender = self.senders.draw(rng);
            let to = collection(self.collections.draw(rng));
            Call::new(sender, to, encode_call("mint()", &[]), GAS_LIMIT)
        };
        (0..count).map(call).collect()
    }
}
