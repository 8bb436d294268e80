//! All of the crate's integration tests in one binary: each binary would compile the engine anew.

mod blocks;
mod common;
mod determinism;
mod execution;
mod genesis;
