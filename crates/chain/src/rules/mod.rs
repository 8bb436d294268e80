//! The rules that a block obeys, apart from execution.

mod block_error;
mod body;
mod difficulty;
mod execution;
mod fault;
mod fees;
mod header;
mod invalid;
mod ommers;

pub use block_error::BlockError;
pub use body::{BodyError, BodyFault, validate_body};
pub(crate) use body::{blob_gas, has_sidecar, validate_contents};
pub use difficulty::next_difficulty;
pub use execution::{ExecutionFault, ExecutionFields, ExecutionMismatch, validate_execution};
pub use fault::{ExtraDataRule, HeaderError, HeaderFault};
pub use fees::{next_base_fee, next_excess_blob_gas};
pub(crate) use header::{Consensus, gas_limit_bounds};
pub use header::{missing_field, validate_header};
pub use invalid::Invalid;
pub(crate) use ommers::GENERATIONS;
pub use ommers::{Ancestor, OmmerError, OmmerFault, validate_ommers};
