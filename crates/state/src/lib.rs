//! Stores of Ethereum state: what execution reads from.
#![forbid(unsafe_code)]

mod memory;
mod store;

pub use memory::MemoryStore;
pub use store::{Account, Store};
