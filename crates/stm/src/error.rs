use thiserror::Error;

/// Why a stream ended before its input did. All steps before `position` are final and were handed to the sink.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum StreamError<E> {
    /// A step failed at its turn, or the sink refused it.
    #[error("step {position} failed: {error}")]
    Step {
        /// The failed step's index in the stream.
        position: u64,
        /// What the VM or the sink said.
        error: E,
    },
    /// A worker panicked: a defect. The process lives on, the stream does not.
    #[error("a worker panicked: {0}")]
    Panic(String),
}
