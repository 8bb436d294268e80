use super::{Call, Gas, Load, MAX_TOKENS};
use crate::{
    WorkloadError,
    contract::Contract,
    contracts::{Artifact, EXCHANGES, address_word, encode_call, exchange, token},
    genesis::RESERVE,
    pick::Pick,
    rng::SplitMix64,
    world::World,
};
use alloy_primitives::{Bytes, U256};

const GAS_LIMIT: u64 = 200_000;
const GAS: u64 = 74_000;

/// Swaps of two tokens, at exchanges with two tokens each.
#[derive(Debug)]
pub(super) struct Swaps {
    senders: Pick,
    exchanges: Pick,
}

impl Swaps {
    /// `hot` is the share of the first exchange.
    pub(super) fn new(senders: Pick, hot: f64) -> Self {
        Self { senders, exchanges: Pick::uniform(EXCHANGES).with_hot(hot) }
    }
}

impl Load for Swaps {
    fn contracts(&self) -> Result<Vec<Contract>, WorkloadError> {
        let artifact = Artifact::exchange()?;
        let place = |index| {
            let tokens = [2 * index, 2 * index + 1];
            let variables = [
                ("token0", address_word(token(tokens[0]))),
                ("token1", address_word(token(tokens[1]))),
                ("reserve0", U256::from(RESERVE)),
                ("reserve1", U256::from(RESERVE)),
            ];
            Ok(Contract {
                holds: tokens.map(|token| (token, RESERVE)).to_vec(),
                draws_on: tokens.to_vec(),
                ..Contract::with_variables(exchange(index), &artifact, &variables)?
            })
        };
        (0..EXCHANGES).map(place).collect()
    }

    fn gas(&self, calls: usize) -> Gas {
        Gas::new(calls, GAS, GAS_LIMIT)
    }

    fn calls(&mut self, count: usize, _: &World, rng: &mut SplitMix64) -> Vec<Call> {
        let call = |_| Call {
            sender: self.senders.draw(rng),
            to: exchange(self.exchanges.draw(rng)),
            value: U256::ZERO,
            input: swap(rng),
            gas_limit: GAS_LIMIT,
        };
        (0..count).map(call).collect()
    }
}

/// A swap in either direction that asks for at least nine tenths of what it pays.
fn swap(rng: &mut SplitMix64) -> Bytes {
    let zero_for_one = U256::from(rng.below(2));
    let amount_in = 1_000 + rng.below(MAX_TOKENS - 1_000);
    let arguments = [zero_for_one, U256::from(amount_in), U256::from(amount_in / 10 * 9)];
    encode_call("swap(bool,uint256,uint256)", &arguments)
}
