//! Filecoin's messages in parallel: every receipt, burn, tip and penalty and the state root are those of executing the messages of a
//! tipset one by one on `fvm` 4.8.4.
//!
//! `docs/FEVM.md` has the method and the argument. All of it stands behind the feature `fvm`: `fvm` takes ten processor minutes to
//! compile, and work on the rest of the workspace should not wait for that.
#![forbid(unsafe_code)]

#[cfg(feature = "fvm")]
mod cbor;
#[cfg(feature = "fvm")]
mod checks;
#[cfg(feature = "fvm")]
mod contract;
#[cfg(feature = "fvm")]
mod executor;
#[cfg(feature = "fvm")]
mod frontier;
#[cfg(feature = "fvm")]
mod heat;
#[cfg(feature = "fvm")]
mod input;
#[cfg(feature = "fvm")]
mod kamt;
#[cfg(feature = "fvm")]
mod kernel;
#[cfg(feature = "fvm")]
mod machine;
#[cfg(feature = "fvm")]
mod process;
#[cfg(feature = "fvm")]
mod record;
#[cfg(feature = "fvm")]
pub mod reference;
#[cfg(feature = "fvm")]
mod speculation;
#[cfg(feature = "fvm")]
mod stack;
#[cfg(feature = "fvm")]
mod step;
#[cfg(feature = "fvm")]
mod store;
#[cfg(feature = "fvm")]
mod stream;
#[cfg(feature = "fvm")]
pub mod workload;

#[cfg(feature = "fvm")]
pub use crate::{
    checks::{Checks, Conflict, Stats},
    executor::{Config, Engines, Executor},
    input::Input,
    process::{WorkerCommand, serve},
    step::{InvalidMessage, MessageResult, Step, TipsetResult},
    store::MemoryStore,
};
