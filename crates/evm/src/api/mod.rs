//! What an embedder calls: blocks in, results out.

mod changes;
mod executor;
mod finished;
mod sink;
mod step_trace;
mod wait;

pub use changes::{PartialChanges, to_evm_states};
pub use executor::{BlockInput, Executor, Finished, Inspected};
pub use finished::{BlockHistory, FinishedBlock, InspectedBlock};
pub use step_trace::{Field, Location, Read, StepPart, StepTrace, TransactionTrace, Write};
pub use wait::{receive, send};
