//! Payments of ether and of tokens, and allowances.

use super::call::{Call, Load, MAX_TOKENS, MAX_VALUE};
use super::kind::Kind;
use crate::contract::Contract;
use crate::contracts::{Artifact, SPLITTER, TOKEN_CODE, address_word, encode_call, token};
use crate::error::WorkloadError;
use crate::pick::Pick;
use crate::rng::SplitMix64;
use crate::world::World;
use alloy_primitives::{Address, Bytes, U256};

/// Enough for a transfer of ether to a wallet that has code.
const ETHER_LIMIT: u64 = 30_000;
const ETHER_GAS: u64 = 21_000;
const TOKEN_LIMIT: u64 = 90_000;
const TOKEN_GAS: u64 = 42_000;
const APPROVAL_GAS: u64 = 46_500;
const WRAP_LIMIT: u64 = 80_000;
const WRAP_GAS: u64 = 36_000;
const SPLIT_GAS: u64 = 80_000;
const SPLIT_LIMIT: u64 = 130_000;

/// How many accounts a splitter pays at once.
const PAYEES: usize = 5;

/// The recipient of a payment.
#[derive(Clone, Debug)]
pub(super) enum To {
    /// The signer with this index: a wallet of many customers.
    Signer(usize),
    /// Accounts by number, and so many in a hundred that are fresh.
    Recipients(Pick, u64),
}

impl To {
    fn draw(&mut self, world: &World, rng: &mut SplitMix64) -> Address {
        match self {
            Self::Signer(index) => world.signers[*index].address(),
            Self::Recipients(_, fresh) if rng.chance(*fresh) => rng.address(),
            Self::Recipients(recipients, _) => world.recipient(recipients.draw(rng)),
        }
    }
}

/// The splitter, and the code of the tokens behind proxies.
pub(super) fn contracts() -> Result<Vec<Contract>, WorkloadError> {
    let splitter = Contract::of(SPLITTER, &Artifact::splitter()?);
    Ok(vec![splitter, Contract::of(TOKEN_CODE, &Artifact::token()?)])
}

/// Transfers of ether.
pub(super) fn ether(mut senders: Pick, mut to: To) -> Box<dyn Load> {
    Box::new(Kind::new(ETHER_GAS, ETHER_LIMIT, move |world: &World, rng: &mut SplitMix64| {
        let sender = senders.draw(rng);
        let to = to.draw(world, rng);
        Call::new(sender, to, Bytes::new(), ETHER_LIMIT).with_value(1 + rng.below(MAX_VALUE))
    }))
}

/// Transfers of tokens.
pub(super) fn tokens(mut senders: Pick, mut tokens: Pick, mut to: To) -> Box<dyn Load> {
    Box::new(Kind::new(TOKEN_GAS, TOKEN_LIMIT, move |world: &World, rng: &mut SplitMix64| {
        let sender = senders.draw(rng);
        let index = tokens.draw(rng);
        let arguments = [address_word(to.draw(world, rng)), U256::from(1 + rng.below(MAX_TOKENS))];
        let input = encode_call("transfer(address,uint256)", &arguments);
        Call::new(sender, token(index), input, TOKEN_LIMIT)
    }))
}

/// Allowances on tokens.
pub(super) fn approvals(mut senders: Pick, mut tokens: Pick) -> Box<dyn Load> {
    Box::new(Kind::new(APPROVAL_GAS, TOKEN_LIMIT, move |_: &World, rng: &mut SplitMix64| {
        let sender = senders.draw(rng);
        let arguments = [address_word(rng.address()), U256::from(1 + rng.below(MAX_TOKENS))];
        let input = encode_call("approve(address,uint256)", &arguments);
        Call::new(sender, token(tokens.draw(rng)), input, TOKEN_LIMIT)
    }))
}

/// Ether into a token and back. Token 0 must be the wrapper.
pub(super) fn wraps(mut senders: Pick) -> Box<dyn Load> {
    Box::new(Kind::new(WRAP_GAS, WRAP_LIMIT, move |_: &World, rng: &mut SplitMix64| {
        let sender = senders.draw(rng);
        let value = 1 + rng.below(MAX_VALUE);
        if rng.chance(50) {
            return Call::new(sender, token(0), encode_call("deposit()", &[]), WRAP_LIMIT).with_value(value);
        }
        let input = encode_call("withdraw(uint256)", &[U256::from(value)]);
        Call::new(sender, token(0), input, WRAP_LIMIT)
    }))
}

/// Payments of ether to several accounts at once.
pub(super) fn splits(mut senders: Pick, mut recipients: Pick) -> Box<dyn Load> {
    Box::new(Kind::new(SPLIT_GAS, SPLIT_LIMIT, move |world: &World, rng: &mut SplitMix64| {
        let sender = senders.draw(rng);
        let mut arguments = vec![U256::from(32), U256::from(PAYEES)];
        arguments.extend((0..PAYEES).map(|_| address_word(world.recipient(recipients.draw(rng)))));
        let input = encode_call("split(address[])", &arguments);
        Call::new(sender, SPLITTER, input, SPLIT_LIMIT).with_value(1_000 + rng.below(MAX_VALUE - 1_000))
    }))
}
