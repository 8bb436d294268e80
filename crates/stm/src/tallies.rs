use crate::metrics::Metrics;
use crossbeam_utils::CachePadded;
// No thread waits for a counter, so a model checker need not know of this lock.
use parking_lot::Mutex;

/// A worker flushes its counters after so many executions and final steps at least, if it does nothing else meanwhile.
pub(crate) const FLUSH_INTERVAL: u64 = 64;

/// The counters of each worker of a stream, as last flushed. Each worker has its own cache line and lock, which only readers contend for.
#[derive(Debug)]
pub(crate) struct Tallies(Box<[CachePadded<Mutex<Metrics>>]>);

impl Tallies {
    pub(crate) fn new(workers: usize, kinds: usize) -> Self {
        let tally = || CachePadded::new(Mutex::new(Metrics::new(kinds)));
        Self(std::iter::repeat_with(tally).take(workers).collect())
    }

    /// Updates the counters of a worker.
    pub(crate) fn update(&self, worker: usize, replace: impl FnOnce(&mut Metrics)) {
        if let Some(tally) = self.0.get(worker) {
            replace(&mut tally.lock());
        }
    }

    /// A worker's counters, as last flushed, without timelines: a worker of the next round counts on from there.
    pub(crate) fn get(&self, worker: usize) -> Metrics {
        let mut metrics = Metrics::default();
        self.update(worker, |tally| metrics.copy_from(tally));
        metrics
    }

    /// The sum over all workers. No counter ever falls.
    pub(crate) fn sum(&self) -> Metrics {
        let mut sum = Metrics::default();
        self.0.iter().for_each(|tally| sum.merge(&tally.lock()));
        sum
    }
}
