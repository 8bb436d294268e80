//! Parallel execution against the reference.

mod common;
mod conformance;
mod differential;
mod input;
