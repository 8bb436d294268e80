//! The order book: offers at few levels, taken first come first served.

use super::call::{Call, Load, MAX_TOKENS};
use super::kind::Kind;
use crate::contract::Contract;
use crate::contracts::{Artifact, BOOK, address_word, encode_call, token};
use crate::error::WorkloadError;
use crate::pick::Pick;
use crate::rng::SplitMix64;
use crate::world::World;
use alloy_primitives::U256;

/// The tokens: offered, and paid with.
const BASE: usize = 0;
const QUOTE: usize = 1;

/// Levels at which there are offers, the most frequent first, in thousandths.
const FIRST_LEVEL: usize = 1_000;
const LEVELS: usize = 8;

const OFFER_GAS: u64 = 140_000;
const OFFER_LIMIT: u64 = 200_000;
const TAKE_GAS: u64 = 125_000;
const TAKE_LIMIT: u64 = 600_000;

/// Every offer is at least this: a tenth of the most that a taker takes.
const LEAST: u64 = MAX_TOKENS / 10;

pub(super) fn contracts() -> Result<Vec<Contract>, WorkloadError> {
    let variables = [("base", address_word(token(BASE))), ("quote", address_word(token(QUOTE)))];
    let book = Contract::with_variables(BOOK, &Artifact::book()?, &variables)?;
    Ok(vec![Contract { draws_on: vec![BASE, QUOTE], ..book }])
}

/// Offers and takes by turns.
pub(super) fn orders(mut senders: Pick) -> Box<dyn Load> {
    let (mut levels, mut is_offer) = (Pick::zipf(LEVELS), false);
    let gas = OFFER_GAS.midpoint(TAKE_GAS);
    Box::new(Kind::new(gas, TAKE_LIMIT, move |_: &World, rng: &mut SplitMix64| {
        is_offer = !is_offer;
        let sender = senders.draw(rng);
        let level = U256::from(FIRST_LEVEL + levels.draw(rng));
        let (signature, amount, limit) = if is_offer {
            ("offer(uint256,uint256)", LEAST + rng.below(MAX_TOKENS - LEAST), OFFER_LIMIT)
        } else {
            ("take(uint256,uint256)", 1 + rng.below(MAX_TOKENS), TAKE_LIMIT)
        };
        Call::new(sender, BOOK, encode_call(signature, &[level, U256::from(amount)]), limit)
    }))
}
