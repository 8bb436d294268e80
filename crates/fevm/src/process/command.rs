use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

/// How to start a worker process: a program that calls [`serve`](crate::serve), and its arguments.
///
/// It gets a socket as standard input; its standard error stays that of the parent. It must be built from the same version
/// of this crate, and is trusted: its results are not computed again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkerCommand {
    pub(super) program: PathBuf,
    pub(super) args: Vec<OsString>,
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
