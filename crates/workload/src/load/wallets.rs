//! Accounts with code: wallets that delegate (EIP-7702) and safes that are deployed; and computations.

use super::call::{Call, Load, MAX_TOKENS};
use super::kind::Kind;
use crate::contract::Contract;
use crate::contracts::{
    Artifact, DELEGATE, FACTORY, PROVERS, address_word, encode_call, prover, token, word_mapping_slot,
};
use crate::error::WorkloadError;
use crate::pick::Pick;
use crate::rng::SplitMix64;
use crate::world::World;
use alloy_primitives::{Address, Bytes, U256};
use std::{collections::HashSet, ops::Range};

/// One signer in so many is a wallet.
const SIGNERS_PER_WALLET: usize = 10;

const BATCH_GAS: u64 = 125_000;
const BATCH_LIMIT: u64 = 200_000;
const DEPLOY_GAS: u64 = 180_000;
const DEPLOY_LIMIT: u64 = 250_000;

/// Keys of each contract that computes.
const KEYS: u64 = 128;

/// Gas of a computation, of each key that is read, and of each round.
const PROOF_GAS: u64 = 46_500;
const GAS_PER_KEY: u64 = 2_300;
const GAS_PER_ROUND: u64 = 120;

/// Calls in a batch.
const CALLS: usize = 2;

pub(super) fn contracts() -> Result<Vec<Contract>, WorkloadError> {
    let artifact = Artifact::prover()?;
    let place = artifact.slot("keys")?;
    let keys = (0..KEYS).map(|key| {
        let slot = word_mapping_slot(place, U256::from(key));
        (slot, slot.wrapping_mul(slot) | U256::ONE)
    });
    let keys: Vec<_> = keys.collect();
    let provers = (0..PROVERS)
        .map(|index| Contract { storage: keys.clone(), ..Contract::of(prover(index), &artifact) });
    let code = [Contract::of(DELEGATE, &Artifact::delegate()?), Contract::of(FACTORY, &Artifact::factory()?)];
    Ok(code.into_iter().chain(provers).collect())
}

/// Wallets pay two accounts in two tokens at once. The first time they delegate to their code.
pub(super) fn batches(mut tokens: Pick, mut recipients: Pick) -> Box<dyn Load> {
    let mut delegated = HashSet::new();
    Box::new(Kind::new(BATCH_GAS, BATCH_LIMIT, move |world: &World, rng: &mut SplitMix64| {
        let signers = world.signers.len();
        let wallet = signers - 1 - rng.index(signers.div_ceil(SIGNERS_PER_WALLET));
        let calls: Vec<_> = (0..CALLS)
            .map(|_| {
                let to = address_word(world.recipient(recipients.draw(rng)));
                let arguments = [to, U256::from(1 + rng.below(MAX_TOKENS))];
                (token(tokens.draw(rng)), encode_call("transfer(address,uint256)", &arguments))
            })
            .collect();
        let authority = delegated.insert(wallet).then_some(wallet);
        let to = world.signers[wallet].address();
        Call { authority, ..Call::new(wallet, to, execute(&calls), BATCH_LIMIT) }
    }))
}

/// `execute((address,uint256,bytes)[])` of calls without ether.
fn execute(calls: &[(Address, Bytes)]) -> Bytes {
    let mut items = Vec::new();
    let mut places = Vec::new();
    for (to, data) in calls {
        // Where the call begins, counted from the end of the list's length.
        places.push(U256::from((calls.len() + items.len()) * 32));
        items.extend([address_word(*to), U256::ZERO, U256::from(3 * 32), U256::from(data.len())]);
        items.extend(data.chunks(32).map(|chunk| {
            let mut word = [0; 32];
            word[..chunk.len()].copy_from_slice(chunk);
            U256::from_be_bytes(word)
        }));
    }
    let head = [U256::from(32), U256::from(calls.len())];
    let arguments: Vec<_> = head.into_iter().chain(places).chain(items).collect();
    encode_call("execute((address,uint256,bytes)[])", &arguments)
}

/// Safes are deployed with CREATE2.
pub(super) fn deployments(mut senders: Pick) -> Box<dyn Load> {
    Box::new(Kind::new(DEPLOY_GAS, DEPLOY_LIMIT, move |_: &World, rng: &mut SplitMix64| {
        let input = encode_call("deploy(bytes32)", &[rng.b256().into()]);
        Call::new(senders.draw(rng), FACTORY, input, DEPLOY_LIMIT)
    }))
}

/// Computations: so many keys read, and rounds of any number in a range.
pub(super) fn proofs(mut senders: Pick, keys: u64, rounds: Range<u64>) -> Box<dyn Load> {
    let gas_limit = move |rounds| PROOF_GAS + keys * GAS_PER_KEY + rounds * GAS_PER_ROUND;
    let mean = gas_limit(rounds.start.midpoint(rounds.end));
    Box::new(Kind::new(mean, gas_limit(rounds.end), move |_: &World, rng: &mut SplitMix64| {
        let sender = senders.draw(rng);
        let to = prover(rng.index(PROVERS));
        let rounds = rounds.start + rng.below(rounds.end - rounds.start);
        let arguments = [rng.b256().into(), U256::from(keys), U256::from(rounds)];
        let input = encode_call("prove(bytes32,uint256,uint256)", &arguments);
        Call::new(sender, to, input, gas_limit(rounds))
    }))
}
