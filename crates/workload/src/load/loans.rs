//! Loans against collateral, and the prices that they go by.

use super::call::{Call, Load, MAX_TOKENS};
use super::kind::Kind;
use crate::contract::Contract;
use crate::contracts::{Artifact, LENDING, ORACLE, address_word, encode_call, mapping_slot, token};
use crate::error::WorkloadError;
use crate::genesis::{RESERVE, TOKENS_EACH, UNIT};
use crate::pick::Pick;
use crate::rng::SplitMix64;
use crate::world::World;
use alloy_primitives::U256;

/// The tokens: pledged, and lent.
const COLLATERAL: usize = 0;
const LOAN: usize = 2;

const GAS: u64 = 105_000;
const GAS_LIMIT: u64 = 200_000;
const PRICE_GAS: u64 = 32_000;
const PRICE_LIMIT: u64 = 60_000;

/// Every signer has pledged enough for all that it may come to borrow, and nothing else.
pub(super) fn contracts(world: &World) -> Result<Vec<Contract>, WorkloadError> {
    let artifact = Artifact::lending()?;
    let pledged = artifact.slot("pledged")?;
    let variables = [
        ("collateral", address_word(token(COLLATERAL))),
        ("loan", address_word(token(LOAN))),
        ("oracle", address_word(ORACLE)),
        ("index", U256::from(UNIT)),
    ];
    let mut lending = Contract::with_variables(LENDING, &artifact, &variables)?;
    let pledges = world.signers.iter().map(|signer| mapping_slot(pledged, signer.address()));
    lending.storage.extend(pledges.map(|slot| (slot, U256::from(TOKENS_EACH))));
    lending.holds = vec![(COLLATERAL, world.signers.len() as u128 * TOKENS_EACH), (LOAN, RESERVE)];
    lending.draws_on = vec![COLLATERAL, LOAN];
    let feeder = address_word(world.signers[feeder(world)].address());
    let variables = [("feeder", feeder), ("price", U256::from(UNIT))];
    Ok(vec![lending, Contract::with_variables(ORACLE, &Artifact::oracle()?, &variables)?])
}

/// The signer who sets the price.
fn feeder(world: &World) -> usize {
    1 % world.signers.len()
}

/// Half of the calls borrow, a quarter pays back, a quarter pledges more.
pub(super) fn loans(mut senders: Pick) -> Box<dyn Load> {
    Box::new(Kind::new(GAS, GAS_LIMIT, move |_: &World, rng: &mut SplitMix64| {
        let signature = match rng.below(4) {
            0 => "supply(uint256)",
            1 => "repay(uint256)",
            _ => "borrow(uint256)",
        };
        let amount = U256::from(1 + rng.below(MAX_TOKENS));
        Call::new(senders.draw(rng), LENDING, encode_call(signature, &[amount]), GAS_LIMIT)
    }))
}

/// Prices within a tenth of the first one.
pub(super) fn prices() -> Box<dyn Load> {
    Box::new(Kind::new(PRICE_GAS, PRICE_LIMIT, move |world: &World, rng: &mut SplitMix64| {
        let price = U256::from(UNIT * 9 / 10 + u128::from(rng.below((UNIT / 5) as u64)));
        Call::new(feeder(world), ORACLE, encode_call("set(uint256)", &[price]), PRICE_LIMIT)
    }))
}
