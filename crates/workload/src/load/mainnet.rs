//! The mix whose shape is that of blocks on mainnet.

use super::airdrops::Airdrops;
use super::call::Load;
use super::mints::Mints;
use super::payments::{self, To};
use super::proportions::Proportions;
use super::{books, loans, routes, wallets};
use crate::contracts::MAINNET_TOKENS;
use crate::error::WorkloadError;
use crate::pick::Pick;
use crate::world::World;

/// The signer that is an exchange's wallet: many are paid by it, and pay it.
const WALLET: usize = 0;

/// Recipients in a hundred that get their first payment.
const FRESH_PERCENT: u64 = 10;

/// The share of the swaps that are of ether and token 1, on top of their own share.
const HOT_SWAPS: f64 = 0.1;

/// The share of the mints that are of the first collection, on top of its own share.
const HOT_MINTS: f64 = 0.1;

/// The weights were chosen by what `tandem shape` says of the blocks that come of them: see `docs/WORKLOADS.md`.
///
/// `hot` takes the place of [`HOT_SWAPS`].
pub(crate) fn load(hot: Option<f64>, world: &World) -> Result<Proportions, WorkloadError> {
    let any = || Pick::uniform(world.signers.len());
    let wallet = || Pick::uniform(1).after(WALLET);
    let people = || Pick::uniform(world.recipients());
    let paid = || To::Recipients(people(), FRESH_PERCENT);
    let customers = || To::Signer(WALLET);
    let token = |index| Pick::uniform(1).after(index);
    let other = || Pick::uniform(MAINNET_TOKENS - 3).after(3);
    let traded = || Pick::uniform(MAINNET_TOKENS - 1).with_hot(hot.unwrap_or(HOT_SWAPS)).after(1);
    let contracts = [
        routes::contracts(world)?,
        books::contracts()?,
        loans::contracts(world)?,
        payments::contracts()?,
        wallets::contracts()?,
    ];
    let parts: Vec<(u32, usize, Box<dyn Load>)> = vec![
        (240, 1, payments::ether(any(), paid())),
        (15, 1, payments::ether(wallet(), paid())),
        (12, 1, payments::ether(any(), customers())),
        (66, 1, payments::tokens(any(), token(1), paid())),
        (4, 1, payments::tokens(wallet(), token(1), paid())),
        (11, 1, payments::tokens(any(), token(1), customers())),
        (26, 1, payments::tokens(any(), token(2), paid())),
        (4, 1, payments::tokens(any(), token(2), customers())),
        (118, 1, payments::tokens(any(), other(), paid())),
        (15, 1, payments::approvals(any(), token(1))),
        (36, 1, payments::approvals(any(), other())),
        (16, 1, payments::wraps(any())),
        (101, 3, routes::sandwiches(any(), traded())),
        (22, 1, routes::routes(any(), traded(), 1)),
        (12, 1, routes::routes(any(), traded(), 2)),
        (6, 1, routes::routes(any(), traded(), 3)),
        (10, 1, books::orders(any())),
        (8, 1, loans::loans(any())),
        (3, 1, loans::prices()),
        (20, 1, Box::new(Mints::new(any(), HOT_MINTS))),
        (20, 1, Box::new(Airdrops::new(any(), world))),
        (8, 1, payments::splits(any(), people())),
        (6, 1, wallets::deployments(any())),
        (8, 1, wallets::batches(other(), people())),
        (30, 1, wallets::proofs(any(), 105, 100..8_000)),
    ];
    Ok(Proportions::new(contracts.into_iter().flatten().collect(), parts))
}
