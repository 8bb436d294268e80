//! The EVM on Tandem's ordered engine: blocks in, receipts and state changes out, executed on many threads with the
//! results of one.
//!
//! [`Executor`] is where to start. revm is used by this crate alone; what an embedder needs of it is re-exported as
//! [`revm`].
//!
//! # Features
//!
//! * `precompile-backends` (on by default): `PrecompileBackends` and `install_precompiles`. Results do not depend on it.
//! * `serde`: what is plain data ([`Receipt`], [`Location`], [`Metrics`], [`tandem_state::StateChanges`] and others) can be serialized.
#![forbid(unsafe_code)]

pub mod api;
mod code;
mod engine;
mod error;
mod ethereum;
mod hash_cache;
#[cfg(test)]
mod hash_collisions;
mod ops;
#[cfg(feature = "precompile-backends")]
mod precompiles;
pub mod protocol;
pub mod serial;
mod state;
mod store;

pub use alloy_evm::EvmEnv;
pub use api::{
    BlockHistory, Field, Location, PartialChanges, Read, StepPart, StorageInspector, StorageNotes,
    StorageTracing, TransactionTrace, Write, receive, send, to_evm_states,
};
pub use error::{BlockId, ExecutionError, ForkError, InvalidBlock, Refusal, Skipped};
pub use ethereum::{
    AlloyBlock, AlloyExecutor, ChainSpec, EthereumBody, EthereumSummary, ReadHint, Receipt, RecoverAhead,
    SenderError, SignedBlock, bundle_difference, logs_bloom, receipts_root, receipts_root_before_byzantium,
};
#[cfg(feature = "precompile-backends")]
pub use precompiles::{PrecompileBackends, install_precompiles};
pub use protocol::collisions::StorageCollisions;
pub use protocol::errors::{EvmError, SystemError};
pub use protocol::sender::SenderRule;
pub use protocol::tracing::{NoTracing, Tracing};
pub use protocol::{Assembly, Charge, ContextOf, EvmOf, Executed, Host, Protocol, ReplacedInstruction};
pub use revm;
pub use state::{Fault, StoreError};
pub use store::{StoreRef, StoreRefError};
pub use tandem_stm::{Background, Config, ConfigError, Cut, Event, EventKind, Metrics, Observation};

/// A block of Ethereum, or of another chain.
pub type Block<P = ChainSpec> = protocol::Block<P>;
/// An executor for Ethereum's blocks, or for another chain's.
pub type Executor<P = ChainSpec> = api::Executor<P>;
/// A block together with the state it is executed on.
pub type BlockInput<'s, S, P = ChainSpec> = api::BlockInput<'s, S, P>;
/// One block that is about to be executed, with settings.
pub type Call<'s, S, P = ChainSpec> = api::Call<'s, S, P>;
/// A stream of blocks that is about to be executed, with settings.
pub type Stream<'s, 'o, I, P = ChainSpec> = api::Stream<'s, 'o, I, P>;
/// The finished blocks of a stream, in order.
pub type Finished<'a, 's, S, P = ChainSpec> = api::Finished<'a, 's, S, P>;
/// A block whose execution is final.
pub type FinishedBlock<P = ChainSpec> = api::FinishedBlock<P>;
/// The finished blocks of a stream, in order, with what inspectors made of their transactions.
pub type Inspected<'a, 's, S, T, P = ChainSpec> = api::Inspected<'a, 's, S, P, T>;
/// A block whose execution is final, with what inspectors made of its transactions.
pub type InspectedBlock<T, P = ChainSpec> = api::InspectedBlock<P, T>;
/// A step that became final: what it relied on and did.
pub type StepTrace<P = ChainSpec> = api::StepTrace<P>;
/// The baseline: blocks executed by revm as it comes, one transaction after the other.
pub type PlainExecutor<P = ChainSpec> = serial::PlainExecutor<P>;
/// A block executed by the plain loop.
pub type PlainBlock<P = ChainSpec> = serial::PlainBlock<P>;

// What unit tests share with the tests in `tests/` names the crate as those do.
#[cfg(test)]
extern crate self as tandem_evm;

/// Names of the kinds of location that [`Metrics::conflicts_by_kind`] counts, in its order.
pub fn conflict_kinds() -> &'static [&'static str] {
    engine::location::KINDS
}
