use crate::shared::process::processor_time;
use std::time::{Duration, Instant};

/// What one call took.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sample {
    pub(super) time: Duration,
    /// Processor time of all threads, where the system tells it.
    pub(super) processor: Option<Duration>,
}

/// Runs something and says what it took. What it returns is dropped by the caller, outside of both times.
pub(super) fn clock<T>(run: impl FnOnce() -> T) -> (T, Sample) {
    let before = processor_time();
    let start = Instant::now();
    let result = run();
    let time = start.elapsed();
    let processor = processor_time().zip(before).map(|(after, before)| after.saturating_sub(before));
    (result, Sample { time, processor })
}
