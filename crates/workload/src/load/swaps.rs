use super::call::{Call, Gas, Load, MAX_TOKENS};
use crate::contract::Contract;
use crate::contracts::{Artifact, EXCHANGES, address_word, encode_call, exchange, token};
use crate::error::WorkloadError;
use crate::genesis::RESERVE;
use crate::pick::Pick;
use crate::rng::SplitMix64;
use crate::world::World;
use alloy_primitives::{Bytes, U256};

pub(super) const GAS_LIMIT: u64 = 200_000;
pub(super) const GAS: u64 = 74_000;

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
        exchanges((0..EXCHANGES).map(|index| [2 * index, 2 * index + 1]))
    }

    fn gas(&self, calls: usize) -> Gas {
        Gas::new(calls, GAS, GAS_LIMIT)
    }

    fn calls(&mut self, count: usize, _: &World, rng: &mut SplitMix64) -> Vec<Call> {
        let call = |_| {
            let sender = self.senders.draw(rng);
            let to = exchange(self.exchanges.draw(rng));
            Call::new(sender, to, any_swap(rng), GAS_LIMIT)
        };
        (0..count).map(call).collect()
    }
}

/// Exchanges between pairs of tokens, given by their indices, with equal reserves.
pub(super) fn exchanges(pairs: impl Iterator<Item = [usize; 2]>) -> Result<Vec<Contract>, WorkloadError> {
    let artifact = Artifact::exchange()?;
    let place = |(index, tokens): (usize, [usize; 2])| {
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
    pairs.enumerate().map(place).collect()
}

/// A swap in either direction.
pub(super) fn any_swap(rng: &mut SplitMix64) -> Bytes {
    let zero_for_one = rng.below(2) == 1;
    swap(zero_for_one, rng)
}

/// A swap in one direction that asks for at least nine tenths of what it pays.
pub(super) fn swap(zero_for_one: bool, rng: &mut SplitMix64) -> Bytes {
    let amount_in = 1_000 + rng.below(MAX_TOKENS - 1_000);
    let arguments = [U256::from(zero_for_one), U256::from(amount_in), U256::from(amount_in / 10 * 9)];
    encode_call("swap(bool,uint256,uint256)", &arguments)
}
