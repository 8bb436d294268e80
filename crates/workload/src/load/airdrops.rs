use super::call::{Call, Gas, Load, MAX_GAS, MAX_TOKENS};
use crate::contract::Contract;
use crate::contracts::{AIRDROP, Artifact, address_word, encode_call, token};
use crate::error::WorkloadError;
use crate::pick::Pick;
use crate::rng::SplitMix64;
use crate::world::World;
use alloy_primitives::U256;

/// How many accounts one transaction pays.
const RECIPIENTS: usize = 16;

const GAS_LIMIT: u64 = 700_000;

/// Gas of a transaction, and on top of that for each recipient: one who held some of the token before, or one who
/// held none.
const GAS: u64 = 53_000;
const GAS_PER_HOLDER: u64 = 8_000;
const GAS_PER_NEWCOMER: u64 = 25_300;

const _: () = assert!(GAS + RECIPIENTS as u64 * GAS_PER_NEWCOMER <= GAS_LIMIT && GAS_LIMIT <= MAX_GAS);

/// Payments of a token to many recipients in one transaction.
#[derive(Debug)]
pub(super) struct Airdrops {
    senders: Pick,
    /// One recipient after another of each token.
    holdings: Pick,
    gas: u64,
    tokens: usize,
}

impl Airdrops {
    pub(super) fn new(senders: Pick, world: &World) -> Self {
        let each = if world.slots > 0 { GAS_PER_HOLDER } else { GAS_PER_NEWCOMER };
        Self {
            senders,
            holdings: Pick::walk(world.holdings()),
            gas: GAS + RECIPIENTS as u64 * each,
            tokens: world.tokens,
        }
    }
}

impl Load for Airdrops {
    fn contracts(&self) -> Result<Vec<Contract>, WorkloadError> {
        let code = Artifact::airdrop()?.code().clone();
        Ok(vec![Contract { draws_on: (0..self.tokens).collect(), ..Contract::new(AIRDROP, code) }])
    }

    fn gas(&self, calls: usize) -> Gas {
        Gas::new(calls, self.gas, GAS_LIMIT)
    }

    fn calls(&mut self, count: usize, world: &World, rng: &mut SplitMix64) -> Vec<Call> {
        let call = |_| {
            let sender = self.senders.draw(rng);
            // Recipients that follow one another hold the same token, all being numbered token by token in turn.
            let first = self.holdings.draw(rng);
            let (index, _) = world.holding(first);
            let recipients = (0..RECIPIENTS)
                .map(|number| world.holding((first + self.tokens * number) % world.holdings()).1)
                .map(|recipient| address_word(world.recipient(recipient)));
            let amount = U256::from(1 + rng.below(MAX_TOKENS / RECIPIENTS as u64));
            // The list is the last argument: where it begins, its length, its items.
            let mut arguments =
                vec![address_word(token(index)), amount, U256::from(3 * 32), U256::from(RECIPIENTS)];
            arguments.extend(recipients);
            let input = encode_call("send(address,uint256,address[])", &arguments);
            Call::new(sender, AIRDROP, input, GAS_LIMIT)
        };
        (0..count).map(call).collect()
    }
}
