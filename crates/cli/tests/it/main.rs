//! All of the crate's integration tests but those of `tandem fevm` in one binary: each binary would compile the engine anew.
#![allow(clippy::unwrap_used)]

mod bad_input;
mod bench;
mod common;
mod conformance;
#[cfg(unix)]
mod crash;
mod data_directory;
mod explain;
mod generate;
mod import;
#[cfg(target_os = "linux")]
mod lost_output;
#[cfg(unix)]
mod progress;
mod run;
mod shape;
mod unchecked;
