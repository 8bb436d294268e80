use crate::config::ConfigError;
use crate::helpers;
use crate::sync::{ThreadPool, Yield, yield_now};
use std::sync::Arc;

/// Threads for work beside an engine's streams, such as recovering senders and hashing tries: as many as a stream has.
///
/// No stream executes on them. So background work may execute streams and wait for them, and streams may wait for background work. Code
/// on a background thread that waits for other background work should do some meanwhile ([`assist`]), or all threads could be waiting.
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

    /// Queues `work` for one of these threads. A panic ends this piece of work and nothing else.
    pub fn spawn(&self, work: impl FnOnce() + Send + 'static) {
        self.0.spawn(work);
    }
}

/// On a thread of [`Background`]: executes one queued piece of work, if there is one. Returns whether it did, or `None` on any other
/// thread.
///
/// Call it in a loop while waiting on such a thread: the result awaited may come from a queued piece of work.
pub fn assist() -> Option<bool> {
    yield_now().map(|done| matches!(done, Yield::Executed))
}
