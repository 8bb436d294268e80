//! A cache of accounts, slots and codes in front of a [`Store`](crate::Store), for many readers.

mod counter;
mod limits;
mod read_cache;
mod stats;
mod store;

pub use limits::CacheLimits;
pub use read_cache::ReadCache;
pub use stats::{CacheStats, HitCount};
pub use store::CachedStore;
