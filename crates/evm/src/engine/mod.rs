//! Transactions as the engine's steps: what they rely on, what they do, how they are executed.

mod consumption;
pub(crate) mod context;
mod db;
mod host;
pub(crate) mod in_flight;
mod inspected;
pub(crate) mod kept;
mod ledger;
pub(crate) mod location;
mod machine;
pub(crate) mod options;
mod ordered;
mod pools;
mod precompiles;
pub(crate) mod record;
mod recorder;
mod repair;
mod report;
mod round_base;
pub(crate) mod step;
mod transfer;
pub(crate) mod vm;
