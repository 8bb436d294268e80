//! The EVM on Tandem's ordered engine: blocks in, receipts and state changes out, executed on many threads with the
//! results of one.
//!
//! [`Executor`] is where to start. revm is used by this crate alone; what an embedder needs of it is re-exported as
//! [`revm`].
#![forbid(unsafe_code)]

mod alloy;
mod base;
mod block;
mod chain;
mod changes;
mod code;
#[cfg(test)]
mod collisions;
mod db;
mod deposits;
mod error;
mod executor;
mod finish;
mod finished;
mod handler;
mod hashes;
mod hints;
mod jobs;
mod kept;
mod location;
mod machine;
mod net_gas;
mod noted;
mod occupied;
mod plain;
mod precompiles;
mod repair;
mod senders;
mod sink;
mod store;
mod system;
mod trace;
mod transfer;
mod vm;
mod wait;

pub use alloy::{AlloyBlock, AlloyExecutor};
pub use block::{Block, BlockId};
pub use chain::ChainSpec;
pub use changes::{PartialChanges, to_evm_states};
pub use error::{ExecutionError, ForkError, InvalidBlock};
pub use executor::{BlockInput, Executor, Finished};
pub use finished::{
    BlockHistory, FinishedBlock, Receipt, logs_bloom, receipts_root, receipts_root_before_byzantium,
};
pub use hints::ReadHint;
pub use plain::{PlainBlock, PlainExecutor};
pub use precompiles::{PrecompileBackends, install_precompiles};
pub use revm;
pub use senders::{RecoverAhead, SenderError, SignedBlock};
pub use store::{StoreRef, StoreRefError};
pub use tandem_stm::{Background, Config, ConfigError, Cut, Event, EventKind, Metrics, Observation};
pub use trace::{Field, Location, Read, StepPart, StepTrace, TransactionTrace, Write};
pub use wait::{receive, send};

// What unit tests share with the tests in `tests/` names the crate as those do.
#[cfg(test)]
extern crate self as tandem_evm;

/// Names of the kinds of location that [`Metrics::conflicts_by_kind`] counts, in its order.
pub fn conflict_kinds() -> &'static [&'static str] {
    location::KINDS
}
