//! Stores of Ethereum state: what execution reads from, and the reader of recorded blocks with their state.
//!
//! The feature `serde` makes plain data ([`Account`], [`StateChanges`], statistics) serializable.
#![forbid(unsafe_code)]

pub mod cache;
mod changes;
pub mod database;
pub mod fixture;
mod memory;
mod store;
pub mod trie;

pub use changes::{AccountChange, StateChanges};
pub use memory::{MemoryStore, MissingCode};
pub use store::{Account, Store};
