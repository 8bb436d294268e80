//! Parallel execution against the reference.

mod common;
mod conformance;
mod differential;
mod input;
mod process;
mod rust_actor;
