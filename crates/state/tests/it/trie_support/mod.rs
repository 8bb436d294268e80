//! The common parts of the tries' tests: random changes, the state they lead to, and a database in memory.
#![allow(dead_code, clippy::unwrap_used)]

pub(crate) mod changes;
pub(crate) mod database;
pub(crate) mod model;
pub(crate) mod rng;
