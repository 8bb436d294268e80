//! The official Ethereum tests, run through the engine: state tests and
//! blockchain tests in JSON.
//!
//! Nothing is left out: a test that cannot pass fails. Expected values are compared with values that are computed here in the
//! simplest way there is (a [whole state in memory](World), roots from all that it holds), so that the tests check the
//! engine and not themselves.
#![forbid(unsafe_code)]

mod agreement;
mod block_test;
mod engines;
mod exception;
mod files;
mod index;
mod network;
mod options;
mod outcome;
mod pack;
mod rejection;
mod slow;
mod state_test;
mod suite;
mod world;

pub use agreement::alloy_difference;
pub use block_test::run_block_tests;
pub use files::find_tests;
pub use index::Index;
pub use options::Options;
pub use outcome::{Computed, Event, Outcome, Problem, Summary, Work};
pub use pack::{Packing, PackingCounts, run_packed_state_tests};
pub use state_test::run_state_tests;
pub use suite::SuiteError;
pub use world::World;
