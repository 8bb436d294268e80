//! What has broken engines like this one. One module for each hazard, one test or more for each case of it.
//!
//! | hazard | tests |
//! |---|---|
//! | delegations set, changed and cleared; authorities with another role in the block (EIP-7702) | [`delegations`] |
//! | a nonce too high or too low in the middle of a block | [`nonces`] |
//! | SELFDESTRUCT, CREATE2 at the same address, storage from before a wipe | [`lives`] |
//! | the beneficiary in any other role | [`beneficiary`] |
//! | empty accounts and touches, before and after EIP-161 | [`emptiness`] |
//! | creations that raise a nonce which others read | [`creators`] |
//! | a balance that suffices at speculation and not at the turn, or the other way round | [`funds`] |
//! | a storage fault while speculating | [`faults`] |
//! | a panic in one worker | [`panics`] |
//! | blocks of unusual sizes | [`sizes`] |
//! | whatever else there may be | [`chance`] |
//! | two keys with one hash | `crates/evm/src/collisions.rs`, and `crates/stm/tests/shape.rs` for the engine alone |
//!
//! A store that holds reads back forces the order in which transactions execute; a test fails if something that was to
//! wait did not happen, or if reads that must have been stale were not found to be. `check_orders` executes a block's
//! *acts* in all orders, each after the other has ended, and again so that all have read before the first one ends.
//! `check_held` does what a list of holds says. Both compare with plain revm and alloy-evm on one, two, four and eight threads.
//!
//! What is held back executes step by step. So both do it again with runs on, in two ways: the block as it is, and with 40 payments before each
//! of its transactions, so that runs get as long as they can. There holding back is tried for a moment only, since a step may be in one run with
//! what it waits for.

mod beneficiary;
mod chance;
mod creators;
mod delegations;
mod emptiness;
mod faults;
mod funds;
mod lives;
mod nonces;
mod panics;
mod sizes;
