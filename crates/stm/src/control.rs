use crate::error::StreamError;
use crate::metrics::Metrics;
use crate::signal::Signal;
use crate::sync::Mutex;
use crate::sync::atomic::{AtomicBool, Ordering};
use crate::tallies::Tallies;

/// The part of a stream that its workers share with its handle.
pub(crate) struct Control<E> {
    /// Set when a round or the stream ends, for any reason; workers leave at their next step.
    stop: AtomicBool,
    /// Set once, when the stream is to end before its input does. Always set before `stop`.
    ended_early: AtomicBool,
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
            ended_early: AtomicBool::new(false),
            signal: Signal::default(),
            tallies: Tallies::new(workers, kinds),
            failure: Mutex::new(None),
        }
    }

    pub(crate) fn stopped(&self) -> bool {
        self.stop.load(Ordering::Acquire)
    }

    /// Ends the round: all steps that were fed are final.
    pub(crate) fn end_round(&self) {
        self.stop.swap(true, Ordering::SeqCst);
        self.signal.notify();
    }

    /// Whether the stream is to end before its input does.
    pub(crate) fn ends_early(&self) -> bool {
        self.ended_early.load(Ordering::SeqCst)
    }

    /// Begins the next round, when all workers have left. `false` if the stream is to end early.
    ///
    /// Every write of `stop` reads it, too. So if the stream was stopped before this write, the end is seen here; else workers see it.
    pub(crate) fn begin_round(&self) -> bool {
        self.stop.swap(false, Ordering::SeqCst);
        let ends = self.ends_early();
        if ends {
            self.stop.swap(true, Ordering::SeqCst);
        }
        !ends
    }

    /// Ends the stream before its input does.
    pub(crate) fn stop(&self) {
        self.ended_early.store(true, Ordering::SeqCst);
        self.end_round();
    }

    /// Ends the stream with an error. Later errors are dropped.
    pub(crate) fn fail(&self, error: StreamError<E>) {
        self.failure.lock().get_or_insert(error);
        self.stop();
    }

    /// The counters so far. None ever falls.
    pub(crate) fn metrics(&self) -> Metrics {
        Metrics { wake_ups: self.signal.wake_ups(), ..self.tallies.sum() }
    }

    pub(crate) fn take_failure(&self) -> Option<StreamError<E>> {
        self.failure.lock().take()
    }

    /// The error that ended the stream, once all workers have left.
    pub(crate) fn into_failure(self) -> Option<StreamError<E>> {
        self.failure.into_inner()
    }
}
