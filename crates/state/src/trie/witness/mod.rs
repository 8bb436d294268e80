//! Parts of tries that prove what a block reads, so that it can be executed without the rest of the state.

mod error;
mod nodes;
mod store;
mod unproven;

pub use error::WitnessError;
pub use nodes::Witness;
pub use store::{WitnessStore, WitnessStoreError};
pub use unproven::UnprovenWitness;
