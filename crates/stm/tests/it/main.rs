//! All of the crate's integration tests in one binary: each binary would compile the engine anew.

mod admission;
mod background;
mod counters;
mod differential;
mod failures;
#[cfg(feature = "serde")]
mod json;
mod ladder;
mod shape;
mod simultaneous;
mod soak;
mod toy;
