//! Generated chains: a generated genesis state, and blocks of signed transactions on top of it.
//!
//! A chain is a function of its [`ChainConfig`]: the same configuration gives the same bytes on every machine and with
//! any number of threads, and with more blocks the same blocks first. This crate signs transactions but does not
//! execute them: a [`Proposal`] is the choice of a block's proposer, from which its executor makes a block.
#![forbid(unsafe_code)]

mod accounts;
mod chain;
mod config;
mod contract;
pub mod contracts;
mod error;
mod fees;
mod genesis;
mod genesis_file;
mod limits;
mod load;
mod pick;
mod rng;
mod workload;
mod world;

pub use chain::{Chain, Proposal, Proposer};
pub use config::ChainConfig;
pub use error::WorkloadError;
pub use fees::CHAIN_ID;
pub use genesis::{Genesis, GenesisAccount};
pub use limits::{MAX_ACCOUNTS, MAX_BLOCKS, MAX_POPULATION, MAX_TRANSACTIONS};
pub use rng::SplitMix64;
pub use workload::{UnknownWorkload, Workload};
