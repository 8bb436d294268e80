//! Stores of Ethereum state: what execution reads from, and the reader of recorded blocks with their state.
#![forbid(unsafe_code)]

pub mod fixture;
mod memory;
mod store;

pub use memory::{MemoryStore, MissingCode};
pub use store::{Account, Store};
