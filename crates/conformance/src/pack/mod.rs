//! Packed state tests: transactions of many state tests in one block, executed in parallel and by the plain revm loop.
//!
//! A state test by itself is one transaction, which conflicts with nothing. In a pack, transactions of tests whose states
//! fit together run against each other on one state, each sent by an account of its own; and repeated ones follow one
//! another from the same sender. The roots that the tests expect do not apply: the comparison is between the
//! parallel engine and the plain loop, in receipts, gas and every change of the state.

mod build;
mod compare;
mod rename;
mod run;

pub use run::{Packing, PackingCounts, run_packed_state_tests};
