//! The baseline: blocks executed by revm as it comes, one transaction after the other.

mod block;
mod db;
mod executor;
mod handler;
mod host;

pub use block::PlainBlock;
pub use executor::PlainExecutor;
