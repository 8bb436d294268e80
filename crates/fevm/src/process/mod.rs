//! Workers that are processes: they speculate as threads do, and share no address space with the frontier.
//!
//! Plain data crosses the border. A process is told of a tipset, of blocks and of changes, tries the messages that it is
//! given on the newest snapshot that it knows, and answers with what an [`Outcome`](crate::speculation::Outcome) holds and the
//! blocks that it wrote. Validation, merging and applying are the frontier's, as for any other result. The parent never waits for an
//! answer: a message without an answer at its turn executes there. A process that ends, or breaks the protocol, is given up.

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
