//! The transactions of each workload, one file for each kind.

mod airdrops;
mod books;
pub(crate) mod call;
mod first_touches;
mod independent;
mod kind;
mod loans;
mod mainnet;
mod mints;
mod mix;
mod pairs;
mod payments;
mod proportions;
mod routes;
mod swaps;
mod token_transfers;
mod transfers;
mod wallets;

use crate::config::ChainConfig;
use crate::error::WorkloadError;
use crate::fees::MAX_FEE;
use crate::genesis::{ETHER_EACH, RESERVE, TOKENS_EACH};
use crate::limits::{MAX_BLOCKS, MAX_TRANSACTIONS};
use crate::pick::Pick;
use crate::workload::Workload;
use crate::world::World;
use airdrops::Airdrops;
use call::{Load, MAX_GAS, MAX_TOKENS, MAX_VALUE};
use first_touches::FirstTouches;
use independent::IndependentSwaps;
use mints::Mints;
use mix::Mix;
use swaps::Swaps;
use token_transfers::TokenTransfers;
use transfers::Transfers;

/// No signer runs out of funds even if it sends everything there is, and the exchanges' prices move little enough for
/// what [`Swaps`] asks at least: no direction takes more than 1 % of a reserve.
const _: () = {
    let all = (MAX_BLOCKS * MAX_TRANSACTIONS) as u128;
    assert!(all * (MAX_VALUE as u128 + MAX_GAS as u128 * MAX_FEE as u128) <= ETHER_EACH);
    assert!(all * MAX_TOKENS as u128 <= TOKENS_EACH);
    assert!(all * MAX_TOKENS as u128 * 100 <= RESERVE);
};

/// The load of a chain.
///
/// # Errors
///
/// If an artifact is not as it should be.
pub(crate) fn load(config: &ChainConfig, world: &World) -> Result<Box<dyn Load>, WorkloadError> {
    let accounts = world.signers.len();
    let (recipients, holdings) = (world.recipients(), world.holdings());
    let walk = || Pick::walk(accounts);
    let any = || Pick::uniform(accounts);
    let hot = |default: f64| config.hot.unwrap_or(default);
    Ok(match config.workload {
        Workload::Transfers => Box::new(Transfers::new(walk(), Pick::walk(recipients).with_hot(hot(0.0)))),
        Workload::OneHot => Box::new(Transfers::new(walk(), Pick::walk(recipients).with_hot(hot(1.0)))),
        Workload::Payroll => Box::new(Transfers::new(walk().with_hot(hot(1.0)), Pick::walk(recipients))),
        Workload::Zipf => Box::new(Mix::new([
            (50, Box::new(Transfers::new(any(), Pick::zipf(recipients).with_hot(hot(0.0))))),
            (50, Box::new(TokenTransfers::new(any(), Pick::zipf(holdings).with_hot(hot(0.0)), world))),
        ])),
        Workload::Token => {
            Box::new(TokenTransfers::new(walk(), Pick::walk(holdings).with_hot(hot(0.0)), world))
        }
        Workload::Swaps => Box::new(Swaps::new(walk(), hot(1.0))),
        Workload::Nft => Box::new(Mints::new(walk(), hot(1.0))),
        Workload::Airdrop => Box::new(Airdrops::new(walk().with_hot(hot(0.0)), world)),
        Workload::Mixed => Box::new(Mix::new([
            (45, Box::new(Transfers::new(any(), Pick::uniform(recipients).with_hot(hot(0.0))).with_fresh())),
            (
                35,
                Box::new(
                    TokenTransfers::new(any(), Pick::uniform(holdings).with_hot(hot(0.0)), world)
                        .with_fresh(),
                ),
            ),
            (20, Box::new(Swaps::new(any(), hot(1.0)))),
        ])),
        Workload::IndependentSwaps => Box::new(IndependentSwaps::new(config.transactions, hot(0.0))),
        Workload::FirstTouch => Box::new(FirstTouches::new(walk(), hot(0.0))),
        Workload::Mainnet => Box::new(mainnet::load(config.hot, world)?),
    })
}
