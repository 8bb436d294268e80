use super::call::{Call, FRESH_PERCENT, Gas, Load, MAX_TOKENS};
use crate::contract::Contract;
use crate::contracts::{address_word, encode_call, token};
use crate::error::WorkloadError;
use crate::pick::Pick;
use crate::rng::SplitMix64;
use crate::world::World;
use alloy_primitives::U256;

const GAS_LIMIT: u64 = 80_000;

/// Gas of a transfer whose recipient held some of the token before, and one whose recipient held none.
const GAS_TO_HOLDER: u64 = 35_000;
const GAS_TO_NEWCOMER: u64 = 52_000;

/// Transfers of tokens.
#[derive(Debug)]
pub(super) struct TokenTransfers {
    senders: Pick,
    /// Tokens and their recipients, as [`World::holding`] numbers them.
    holdings: Pick,
    fresh_percent: u64,
    /// Gas of a transfer.
    gas: u64,
}

impl TokenTransfers {
    pub(super) const fn new(senders: Pick, holdings: Pick, world: &World) -> Self {
        let gas = if world.slots > 0 { GAS_TO_HOLDER } else { GAS_TO_NEWCOMER };
        Self { senders, holdings, fresh_percent: 0, gas }
    }

    /// Has some of the recipients be fresh.
    pub(super) fn with_fresh(self) -> Self {
        let more = (GAS_TO_NEWCOMER - self.gas) * FRESH_PERCENT / 100;
        Self { fresh_percent: FRESH_PERCENT, gas: self.gas + more, ..self }
    }
}

impl Load for TokenTransfers {
    fn contracts(&self) -> Result<Vec<Contract>, WorkloadError> {
        Ok(Vec::new())
    }

    fn gas(&self, calls: usize) -> Gas {
        Gas::new(calls, self.gas, GAS_LIMIT)
    }

    fn calls(&mut self, count: usize, world: &World, rng: &mut SplitMix64) -> Vec<Call> {
        let call = |_| {
            let sender = self.senders.draw(rng);
            let (index, recipient) = world.holding(self.holdings.draw(rng));
            let recipient =
                if rng.chance(self.fresh_percent) { rng.address() } else { world.recipient(recipient) };
            let arguments = [address_word(recipient), U256::from(1 + rng.below(MAX_TOKENS))];
            let input = encode_call("transfer(address,uint256)", &arguments);
            Call::new(sender, token(index), input, GAS_LIMIT)
        };
        (0..count).map(call).collect()
    }
}
