//! Generated tipsets, and the small world that they execute in: an actor in WebAssembly text that keeps its state as an EVM contract
//! does, registered under the names of the built-in actors.

mod chain;
mod files;
mod mix;
mod program;
mod tipsets;
mod world;

pub use chain::longest_chain;
pub use files::write;
pub use mix::Mix;
pub use program::Program;
pub use tipsets::Workload;
pub use world::{Chance, Fixed, World};
