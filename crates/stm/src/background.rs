use crate::config::ConfigError;
use crate::helpers;
use crate::sync::{ThreadPool, Yield, yield_now};
use std::sync::Arc;

/// Threads for work around an engine's streams, as many as execute a stream: recovering senders, hashing tries.
///
/// No stream executes on them, so that such work may itself execute streams and wait for them, and streams may wait for such work. What
/// waits for other background work should do some meanwhile ([`assist`]), or all threads could be waiting.
#[derive(Clone, Debug)]
pub struct Background(Arc<ThreadPool>);

impl Background {
    pub(crate) fn new(threads: usize) -> Result<Self, ConfigError> {
        let pool = helpers::start(threads, "tandem-background").ok_or(ConfigError::Spawn)?;
        Ok(Self(Arc::new(pool)))
    }

    /// Runs `work` on these threads and waits for it. Inside, rayon's parallel iterators spread over them.
    pub fn run<R: Send>(&self, work: impl FnOnce() -> R + Send) -> R {
        self.0.install(work)
    }

    /// Has `work` done some time, on one of these threads. If it panics, it is over; nothing else is.
    pub fn spawn(&self, work: impl FnOnce() + Send + 'static) {
        self.0.spawn(work);
    }
}

/// On a thread of [`Background`]: does one piece of work that waits for a thread, if there is any. Says whether it did; `None` if the
/// thread is none of an engine's.
///
/// For whoever must wait on such a thread: what it waits for may be such a piece.
pub fn assist() -> Option<bool> {
    yield_now().map(|done| matches!(done, Yield::Executed))
}
