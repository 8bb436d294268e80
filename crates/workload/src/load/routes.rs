//! Swaps through the router.

use super::call::{Call, Load, MAX_TOKENS};
use super::kind::Kind;
use super::pairs::{BASES, base, exchange_pairs, like, unlike};
use super::swaps::{self, exchanges};
use crate::contract::Contract;
use crate::contracts::{Artifact, ROUTER, address_word, encode_call, exchange, token};
use crate::error::WorkloadError;
use crate::pick::Pick;
use crate::rng::SplitMix64;
use crate::world::World;
use alloy_primitives::{Bytes, U256};
use std::ops::Range;

/// One signer in so many is a bot.
const SIGNERS_PER_BOT: usize = 20;

const GAS_LIMIT: u64 = 400_000;

/// Gas of a path, and of each exchange on it.
const GAS: u64 = 55_000;
const GAS_PER_EXCHANGE: u64 = 55_000;

/// The exchanges, and the router, which they may all draw on. At exchanges themselves only bots swap.
pub(super) fn contracts(world: &World) -> Result<Vec<Contract>, WorkloadError> {
    let tokens = world.tokens;
    let mut lets_draw = Vec::new();
    for (index, pair) in exchange_pairs(tokens).enumerate() {
        lets_draw.extend(pair.map(|token| (token, exchange(index))));
    }
    let router = Contract::of(ROUTER, &Artifact::router()?);
    let router = Contract { draws_on: (0..tokens).collect(), lets_draw, ..router };
    let exchanges = exchanges(exchange_pairs(tokens))?.into_iter();
    let exchanges = exchanges.map(|exchange| Contract { drawn_by: Some(bots(world)), ..exchange });
    Ok(exchanges.chain([router]).collect())
}

/// The signers that are bots.
fn bots(world: &World) -> Range<usize> {
    0..world.signers.len().div_ceil(SIGNERS_PER_BOT)
}

/// Swaps along so many exchanges, from one to three, to or from a token that `tokens` gives: one of those with an exchange
/// of their own.
///
/// One is between the token and its base, two lead on to another token with this base, three by way of both bases.
pub(super) fn routes(mut senders: Pick, mut tokens: Pick, length: usize) -> Box<dyn Load> {
    let gas = GAS + length as u64 * GAS_PER_EXCHANGE;
    Box::new(Kind::new(gas, GAS_LIMIT, move |world: &World, rng: &mut SplitMix64| {
        let sender = senders.draw(rng);
        let sold = tokens.draw(rng);
        let (sold, path) = match length {
            1 if rng.chance(50) => (base(sold), vec![sold]),
            1 => (sold, vec![sold]),
            2 => (sold, vec![sold, like(tokens.draw(rng), sold, world.tokens)]),
            _ => {
                // Not one of the tokens on the way.
                let sold = sold.max(3);
                (sold, vec![sold, BASES, unlike(tokens.draw(rng), sold, world.tokens)])
            }
        };
        Call::new(sender, ROUTER, swap(sold, &path, rng), GAS_LIMIT)
    }))
}

/// Bots swap right before and after another swap, at the same exchange: three calls by turns.
pub(super) fn sandwiches(mut senders: Pick, mut tokens: Pick) -> Box<dyn Load> {
    let (mut turn, mut bot, mut at, mut zero_for_one) = (0, 0, 0, false);
    let gas = (2 * swaps::GAS + GAS + GAS_PER_EXCHANGE) / 3;
    Box::new(Kind::new(gas, GAS_LIMIT, move |world: &World, rng: &mut SplitMix64| {
        if turn == 0 {
            (bot, at, zero_for_one) = (rng.index(bots(world).len()), tokens.draw(rng), rng.chance(50));
        }
        turn = (turn + 1) % 3;
        if turn == 2 {
            let sold = if zero_for_one { base(at) } else { at };
            return Call::new(senders.draw(rng), ROUTER, swap(sold, &[at], rng), GAS_LIMIT);
        }
        let input = swaps::swap(zero_for_one == (turn == 1), rng);
        Call::new(bot, exchange(at), input, swaps::GAS_LIMIT)
    }))
}

/// Sells some of a token along a path of exchanges, for at least eight tenths.
fn swap(sold: usize, path: &[usize], rng: &mut SplitMix64) -> Bytes {
    let amount = 1_000 + rng.below(MAX_TOKENS - 1_000);
    let mut arguments = vec![
        address_word(token(sold)),
        U256::from(amount),
        U256::from(amount / 10 * 8),
        U256::from(4 * 32),
        U256::from(path.len()),
    ];
    arguments.extend(path.iter().map(|index| address_word(exchange(*index))).collect::<Vec<_>>());
    encode_call("swap(address,uint256,uint256,address[])", &arguments)
}
