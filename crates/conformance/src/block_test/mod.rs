//! Blockchain tests: blocks given as RLP, imported in the given order on top of any block that is known.

mod format;
mod import;
mod run;

pub use run::run_block_tests;
