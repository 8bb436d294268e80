//! Workers that are processes: they speculate as threads do, and share no address space with the frontier.
//!
//! What crosses the border is plain data. A process is told of a tipset, of blocks and of changes, tries the messages that it is
//! given on the newest snapshot that it knows, and answers with what an [`Outcome`](crate::speculation::Outcome) holds and the
//! blocks that it wrote. Validation, merging and applying are the frontier's, as for any other result. The parent never waits for an
//! answer: what has not come when its turn does executes there. A process that ends, or says what it may not say, is given up.

mod child;
mod command;
mod errand;
mod link;
mod pool;
mod wire;
mod worker;

pub use command::WorkerCommand;
pub(crate) use pool::ProcessPool;
pub use worker::serve;
