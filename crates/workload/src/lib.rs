//! Generated chains: blocks of signed transactions over a generated genesis state.
//!
//! A chain is a function of its [`ChainConfig`]: the same configuration gives the same bytes on every machine, and
//! with more blocks the same blocks first. Generation signs transactions but does not execute them, so the header
//! fields that only execution can tell are left open (see [`GeneratedBlock::header`]); every transaction is made to
//! succeed when the blocks are executed in order.
#![forbid(unsafe_code)]

mod accounts;
mod chain;
mod config;
pub mod contracts;
mod error;
mod genesis;
mod rng;
mod traffic;

pub use chain::{FIRST_NUMBER, FIRST_TIMESTAMP, GeneratedBlock, GeneratedChain, SECONDS_PER_BLOCK, generate};
pub use config::{ChainConfig, MAX_ACCOUNTS, MAX_BLOCKS, MAX_TRANSACTIONS};
pub use error::WorkloadError;
pub use traffic::{BASE_FEE, CHAIN_ID, GAS_LIMIT};
