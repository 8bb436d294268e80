use crate::metrics::Metrics;
use crossbeam_utils::CachePadded;
// Nothing waits for a counter, so that a model checker need not know of it.
use parking_lot::Mutex;

/// The counters of each worker of a stream, as it last told them. A worker tells its own, in a place of its own, which is contended
/// only while somebody reads it.
#[derive(Debug)]
pub(crate) struct Tallies(Box<[CachePadded<Mutex<Metrics>>]>);

impl Tallies {
    pub(crate) fn new(workers: usize, kinds: usize) -> Self {
        let tally = || CachePadded::new(Mutex::new(Metrics::new(kinds)));
        Self(std::iter::repeat_with(tally).take(workers).collect())
    }

    /// Replaces what a worker has told.
    pub(crate) fn tell(&self, worker: usize, replace: impl FnOnce(&mut Metrics)) {
        if let Some(tally) = self.0.get(worker) {
            replace(&mut tally.lock());
        }
    }

    /// What all workers have told. No counter is ever less than it was before.
    pub(crate) fn sum(&self) -> Metrics {
        let mut sum = Metrics::default();
        self.0.iter().for_each(|tally| sum.merge(&tally.lock()));
        sum
    }
}
