use crate::error::StreamError;
use crate::signal::Signal;
use crate::sync::Mutex;
use crate::sync::atomic::{AtomicBool, Ordering};
use crate::tallies::Tallies;

/// The part of a stream that its workers share with its handle.
pub(crate) struct Control<E> {
    /// Set once, when the stream ends for any reason; workers leave at their next step.
    stop: AtomicBool,
    /// Notified when `stop` has changed, or something else that a worker waits for.
    pub(crate) signal: Signal,
    pub(crate) tallies: Tallies,
    failure: Mutex<Option<StreamError<E>>>,
}

impl<E> Control<E> {
    /// For a stream with so many workers, over a state with so many kinds of location.
    pub(crate) fn new(workers: usize, kinds: usize) -> Self {
        Self {
            stop: AtomicBool::new(false),
            signal: Signal::default(),
            tallies: Tallies::new(workers, kinds),
            failure: Mutex::new(None),
        }
    }

    pub(crate) fn stopped(&self) -> bool {
        self.stop.load(Ordering::Acquire)
    }

    /// Ends the stream.
    pub(crate) fn stop(&self) {
        self.stop.store(true, Ordering::SeqCst);
        self.signal.notify();
    }

    /// Ends the stream with an error. Later errors are dropped.
    pub(crate) fn fail(&self, error: StreamError<E>) {
        self.failure.lock().get_or_insert(error);
        self.stop();
    }

    pub(crate) fn take_failure(&self) -> Option<StreamError<E>> {
        self.failure.lock().take()
    }

    /// The error that ended the stream, once all workers have left.
    pub(crate) fn into_failure(self) -> Option<StreamError<E>> {
        self.failure.into_inner()
    }
}
