use std::time::{Duration, Instant};

/// Steps that take less are cheap: see [`crate::Vm::prefetch`] and `Record::withhold`.
pub(crate) const CHEAP: Duration = Duration::from_micros(10);
/// How many steps the VM prefetches for at once.
pub(crate) const PREFETCHED: u32 = 16;

/// When a worker prefetches.
pub(crate) struct Prefetching {
    /// The position up to which the VM has prefetched.
    until: u64,
    /// The time and the number of the worker's executions at that moment.
    last: (Instant, u64),
}

impl Prefetching {
    pub(crate) fn new() -> Self {
        Self { until: 0, last: (Instant::now(), 0) }
    }

    /// Whether to prefetch for the step at `position` and those behind it, by a worker that has executed so many steps: it is time to, and
    /// the last steps were cheap.
    pub(crate) fn is_due(&mut self, position: u64, executions: u64) -> bool {
        if position < self.until {
            return false;
        }
        let now = Instant::now();
        let (then, before) = std::mem::replace(&mut self.last, (now, executions));
        self.until = position + u64::from(PREFETCHED);
        now - then < CHEAP * (executions - before).min(PREFETCHED.into()) as u32
    }
}
