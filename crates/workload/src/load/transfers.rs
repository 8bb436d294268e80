use super::call::{Call, FRESH_PERCENT, Gas, Load, MAX_VALUE};
use crate::contract::Contract;
use crate::error::WorkloadError;
use crate::pick::Pick;
use crate::rng::SplitMix64;
use crate::world::World;
use alloy_primitives::Bytes;

const GAS: u64 = 21_000;

/// Transfers of ether.
#[derive(Debug)]
pub(super) struct Transfers {
    senders: Pick,
    recipients: Pick,
    fresh_percent: u64,
}

impl Transfers {
    pub(super) const fn new(senders: Pick, recipients: Pick) -> Self {
        Self { senders, recipients, fresh_percent: 0 }
    }

    /// Has some of the recipients be fresh.
    pub(super) fn with_fresh(self) -> Self {
        Self { fresh_percent: FRESH_PERCENT, ..self }
    }
}

impl Load for Transfers {
    fn contracts(&self) -> Result<Vec<Contract>, WorkloadError> {
        Ok(Vec::new())
    }

    fn gas(&self, calls: usize) -> Gas {
        Gas::new(calls, GAS, GAS)
    }

    fn calls(&mut self, count: usize, world: &World, rng: &mut SplitMix64) -> Vec<Call> {
        let call = |_| {
            let sender = self.senders.draw(rng);
            let to = if rng.chance(self.fresh_percent) {
                rng.address()
            } else {
                world.recipient(self.recipients.draw(rng))
            };
            Call::new(sender, to, Bytes::new(), GAS).with_value(1 + rng.below(MAX_VALUE))
        };
        (0..count).map(call).collect()
    }
}
