//! Scenarios: a state and blocks on it, executed in every way there is, with equal results.
#![allow(dead_code, unused_imports, reason = "each test file uses a part of this")]

pub(crate) mod asm;
pub(crate) mod contracts;
mod fork;
pub(crate) mod gates;
mod harness;
mod orders;
pub(crate) mod rng;
mod scenario;
pub(crate) mod stores;
mod tx;

pub(crate) use fork::{Fork, block_hash};
pub(crate) use harness::{
    Report, apply, assert_like, assert_same, difference, execute_plainly, stream, stream_watched,
    with_executor, with_executor_in_order,
};
pub(crate) use orders::{Forced, Runs};
pub(crate) use scenario::{Scenario, at, ether};
pub(crate) use tx::{Signer, Tx};
