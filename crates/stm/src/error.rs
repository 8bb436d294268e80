use std::any::Any;
use thiserror::Error;

/// Why a stream ended before its input did. All steps before `position` are final and were handed to the sink.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum StreamError<E> {
    /// A step failed at its turn, or the sink refused it.
    #[error("step {position} failed: {error}")]
    Step {
        /// The failed step's index in the stream.
        position: u64,
        /// The error of the VM or the sink.
        error: E,
    },
    /// A step panicked at its turn, or the input or the sink panicked: a defect. The process lives on, the stream does not.
    #[error("{} panicked: {message}", panicking(*position))]
    Panic {
        /// The step's index in the stream; none if the input or the sink panicked.
        position: Option<u64>,
        /// The message of the panic.
        message: String,
    },
    /// The operating system refused the thread that was to execute the stream.
    #[error("no thread could be started to execute the stream")]
    Spawn,
}

fn panicking(position: Option<u64>) -> String {
    position.map_or("the input or the sink".to_owned(), |position| format!("step {position}"))
}

/// The message of a panic.
pub(crate) fn message(panic: Box<dyn Any + Send>) -> String {
    match panic.downcast::<String>() {
        Ok(message) => *message,
        Err(panic) => panic.downcast_ref::<&str>().map_or("unknown cause", |message| message).to_owned(),
    }
}
