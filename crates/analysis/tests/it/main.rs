//! All of the crate's integration tests in one binary: each binary would compile the engine anew.

mod common;
mod graphs;
mod names;
mod schedules;
mod shapes;
mod study;
