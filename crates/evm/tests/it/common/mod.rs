//! Scenarios: a state and blocks on it, executed in every way there is, with equal results.
#![allow(dead_code, unused_imports, reason = "each test file uses a part of this")]

pub(crate) mod asm;
mod bundles;
pub(crate) mod contracts;
mod draft;
mod fork;
pub(crate) mod gates;
mod harness;
mod orders;
mod reference;
pub(crate) mod rng;
mod scenario;
pub(crate) mod stores;
pub(crate) mod tracer;
mod tx;

pub(crate) use draft::Draft;
pub(crate) use fork::{Fork, block_hash};
pub(crate) use harness::{
    NEVER, Report, Streamed, apply, assert_like, assert_same, difference, execute_plainly, runs_of, stream,
    stream_watched, with_executor, with_executor_in_order,
};
pub(crate) use orders::{Forced, OrderResults};
pub(crate) use reference::{disagreement, state_over};
pub(crate) use scenario::{Scenario, at, ether, set_dao};
pub(crate) use tx::{Signer, Tx};
