//! What the transactions of each workload do, one file for each kind of transaction.

mod airdrops;
mod books;
mod independent;
mod kind;
mod loans;
pub(crate) mod mainnet;
mod mints;
mod mix;
mod payments;
mod proportions;
mod routes;
mod swaps;
mod token_transfers;
mod transfers;
mod wallets;

use crate::{
    ChainConfig, MAX_BLOCKS, MAX_TRANSACTIONS, Workload, WorkloadError,
    contract::Contract,
    fees::MAX_FEE,
    genesis::{ETHER_EACH, RESERVE, TOKENS_EACH, UNIT},
    pick::Pick,
    rng::SplitMix64,
    world::World,
};
use airdrops::Airdrops;
use alloy_primitives::{Address, Bytes, U256};
use independent::IndependentSwaps;
use mints::Mints;
use mix::Mix;
use std::fmt::Debug;
use swaps::Swaps;
use token_transfers::TokenTransfers;
use transfers::Transfers;

/// The most that a transaction transfers, in wei.
const MAX_VALUE: u64 = (UNIT / 10) as u64;

/// The most that a transaction moves of a token, in its units.
const MAX_TOKENS: u64 = (10 * UNIT) as u64;

/// The most gas that any transaction may use.
const MAX_GAS: u64 = 2_000_000;

/// No signer runs out of funds even if it sends everything there is, and the exchanges' prices move little enough for
/// what [`Swaps`] asks at least: no direction takes more than 1 % of a reserve.
const _: () = {
    let all = (MAX_BLOCKS * MAX_TRANSACTIONS) as u128;
    assert!(all * (MAX_VALUE as u128 + MAX_GAS as u128 * MAX_FEE as u128) <= ETHER_EACH);
    assert!(all * MAX_TOKENS as u128 <= TOKENS_EACH);
    assert!(all * MAX_TOKENS as u128 * 100 <= RESERVE);
};

/// A source of calls.
pub(crate) trait Load: Debug + Send {
    /// The contracts that the calls need, tokens apart.
    ///
    /// # Errors
    ///
    /// If an artifact is not as it should be.
    fn contracts(&self) -> Result<Vec<Contract>, WorkloadError>;

    /// The gas of so many calls.
    fn gas(&self, calls: usize) -> Gas;

    /// The next calls, of which there is at least one. All of them succeed.
    fn calls(&mut self, count: usize, world: &World, rng: &mut SplitMix64) -> Vec<Call>;
}

/// The gas of some calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Gas {
    /// What all of them use together, or a little more.
    pub(crate) used: u64,
    /// What they may use together if dear ones meet.
    pub(crate) most: u64,
    /// The highest gas limit of them.
    pub(crate) highest_limit: u64,
}

impl Gas {
    fn new(calls: usize, used: u64, limit: u64) -> Self {
        let used = calls as u64 * used;
        Self { used, most: used, highest_limit: limit }
    }

    fn plus(self, other: Self) -> Self {
        Self {
            used: self.used + other.used,
            most: self.most + other.most,
            highest_limit: self.highest_limit.max(other.highest_limit),
        }
    }

    /// The gas limit of a block that these calls half fill.
    ///
    /// It is rather too high than too low, so that the base fee (EIP-1559) falls in the long run.
    pub(crate) fn block_limit(self) -> u64 {
        (self.used * 21 / 10).max(self.most + self.highest_limit).next_multiple_of(1_000)
    }
}

/// What a transaction does, its fees and nonce apart.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    /// The sender's index among the signers.
    pub(crate) sender: usize,
    pub(crate) to: Address,
    pub(crate) value: U256,
    pub(crate) input: Bytes,
    pub(crate) gas_limit: u64,
    /// The signer, by index, that delegates to the wallet's code with this transaction (EIP-7702).
    pub(crate) authority: Option<usize>,
}

impl Call {
    /// A call that sends no ether.
    pub(crate) const fn new(sender: usize, to: Address, input: Bytes, gas_limit: u64) -> Self {
        Self { sender, to, value: U256::ZERO, input, gas_limit, authority: None }
    }

    /// The same call with ether.
    pub(crate) fn with_value(self, value: u64) -> Self {
        Self { value: U256::from(value), ..self }
    }
}

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
        Workload::Mainnet => Box::new(mainnet::load(config.hot, world)?),
    })
}

/// How many recipients in a hundred are fresh, where some are: addresses that no transaction named before.
const FRESH_PERCENT: u64 = 10;
