//! All of the crate's integration tests in one binary: each binary would compile the engine anew.
#![allow(clippy::unwrap_used)]

mod alloy;
mod balances;
mod behind;
mod blocks;
mod common;
mod delegation;
mod documents;
mod evm_states;
mod executor;
mod fuzz;
mod hazards;
#[cfg(feature = "serde")]
mod json;
mod life;
mod nonces;
mod overflow;
mod recorded;
mod rules;
mod runs;
mod soak;
mod stores;
mod sweeps;
mod traces;
