//! State tests: one transaction on a given state, for each fork and each combination of data, gas limit and value.

mod case;
mod expected;
mod format;
mod run;
mod transaction;

pub(crate) use case::Case;
pub(crate) use format::{Env, StateTest};
pub(crate) use run::nothing_expected;
pub use run::run_state_tests;
