//! All of the crate's integration tests in one binary: each binary would compile the engine anew.

mod block_tests;
mod common;
mod packs;
mod shared;
mod state_tests;
