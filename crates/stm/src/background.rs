use crate::signal::Signal;
use crate::sync::{ThreadPool, Yield, yield_now};
use std::sync::Arc;

/// Work that shares an engine's threads with its streams.
///
/// A stream occupies every thread of its engine from start to end. Workers with nothing to execute take pieces of
/// background work in between: recovering senders, hashing tries. Execution goes first; background work gets the threads
/// to itself when the stream runs out of input, or when its consumer falls behind.
#[derive(Clone, Debug)]
pub struct Background(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    pool: ThreadPool,
    /// Wakes the idle workers of all the engine's streams.
    signal: Arc<Signal>,
}

/// Counts a piece of work for as long as it lasts, a panic included.
struct Pending<'a>(&'a Signal);

impl<'a> Pending<'a> {
    fn begin(signal: &'a Signal) -> Self {
        signal.background_began();
        Self(signal)
    }
}

impl Drop for Pending<'_> {
    fn drop(&mut self) {
        self.0.background_ended();
    }
}

impl Background {
    pub(crate) fn new(pool: ThreadPool) -> Self {
        Self(Arc::new(Inner { pool, signal: Arc::default() }))
    }

    pub(crate) fn signal(&self) -> &Arc<Signal> {
        &self.0.signal
    }

    /// The threads.
    pub fn pool(&self) -> &ThreadPool {
        &self.0.pool
    }

    /// Runs `work` on the engine's threads and waits for it. Inside, rayon's parallel iterators spread over these
    /// threads, as far as they have nothing to execute.
    pub fn run<R: Send>(&self, work: impl FnOnce() -> R + Send) -> R {
        let _pending = Pending::begin(&self.0.signal);
        self.0.pool.install(work)
    }

    /// Has `work` done some time, on one of the engine's threads. If it panics, it is over; nothing else is.
    pub fn spawn(&self, work: impl FnOnce() + Send + 'static) {
        let signal = self.0.signal.clone();
        signal.background_began();
        self.0.pool.spawn(move || {
            let _pending = Pending(&signal);
            work();
        });
    }
}

/// On a thread of an engine: does one piece of waiting background work, if there is any. Returns whether it did.
///
/// For whoever must wait on such a thread: what it waits for may be background work.
pub fn assist() -> bool {
    matches!(yield_now(), Some(Yield::Executed))
}
