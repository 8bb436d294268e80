//! Workers that are processes: they speculate as threads do, and share no address space with the frontier.
//!
//! What crosses the border is plain data. A process is told of a tipset, of blocks and of changes, tries the messages that it is
//! given on the newest snapshot that it knows, and answers with what an [`Outcome`](crate::speculation::Outcome) holds and the
//! blocks that it wrote. Validation, merging and applying are the frontier's, as for any other result. The parent never waits for an
//! answer: what has not come when its turn does executes there. A process that ends, or says what it may not say, is given up.

mod child;
mod crew;
mod link;
mod wire;
mod worker;

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

pub(crate) use crew::Crew;
pub use worker::serve;

/// How to start a worker process: a program that calls [`serve`], and its arguments.
///
/// It gets a socket as standard input; its standard error stays that of the parent. It must be built from the same version
/// of this crate, and is trusted: what it says that a message did is not computed again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkerCommand {
    program: PathBuf,
    args: Vec<OsString>,
}

impl WorkerCommand {
    /// A program without arguments: a path, or a name to look for where programs are.
    pub fn new(program: impl Into<PathBuf>) -> Self {
        Self { program: program.into(), args: Vec::new() }
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<A: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.args.extend(args.into_iter().map(|arg| arg.as_ref().to_owned()));
        self
    }
}
