//! What an embedder calls: blocks in, results out.

mod call;
mod changes;
pub(crate) mod core;
mod evm_states;
mod executor;
mod finished;
mod input;
mod sink;
mod step_trace;
mod storage_notes;
mod stream;
mod streamed;
mod wait;

pub use call::{Call, InspectedCall};
pub use changes::PartialChanges;
pub use evm_states::to_evm_states;
pub use executor::Executor;
pub use finished::{BlockHistory, FinishedBlock, InspectedBlock};
pub use input::BlockInput;
pub use step_trace::{Field, Location, Read, StepPart, StepTrace, TransactionTrace, Write};
pub use storage_notes::{StorageInspector, StorageNotes, StorageTracing};
pub use stream::{InspectedStream, Stream};
pub use streamed::{Finished, Inspected};
pub use wait::{receive, send};
