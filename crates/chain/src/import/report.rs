use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tandem_evm::Metrics;
use tandem_state::cache::CacheStats;

/// The report of an import.
#[derive(Clone, Debug, Default)]
pub struct ImportReport {
    /// Blocks that are now in the database and were not before.
    pub blocks: u64,
    /// Their transactions.
    pub transactions: u64,
    /// The gas that these used.
    pub gas: u64,
    /// Blocks that were there already: in the database, or earlier in the files.
    pub known: u64,
    /// From start to end.
    pub time: Duration,
    /// Busy time per stage.
    pub stages: StageTimes,
    /// The engine's counters.
    pub metrics: Metrics,
    /// Hits and misses of the read cache.
    pub cache: CacheStats,
}

/// Time that threads spent on each stage, in all. With stages overlapping, the sum exceeds the time of the import.
#[derive(Clone, Copy, Debug, Default)]
pub struct StageTimes {
    /// Reading and decoding files, checking headers.
    pub read: Duration,
    /// Checking bodies, recovering senders.
    pub recover: Duration,
    /// Reading ahead, waiting included.
    pub prefetch: Duration,
    /// Executing transactions and making their results final.
    pub execute: Duration,
    /// Receipts, tries and state roots: elapsed, however many threads took part.
    pub roots: Duration,
    /// Writing the database, waiting for the disk included.
    pub commit: Duration,
    /// The part of `commit` that is writing changed pages and waiting for the disk.
    pub flush: Duration,
}

/// A block that has passed all checks and waits to be committed.
#[derive(Clone, Copy, Debug)]
pub struct Imported {
    /// The block's number.
    pub number: u64,
    /// Its transactions.
    pub transactions: usize,
    /// The gas that they used.
    pub gas: u64,
}

/// A stage's busy time, added to from any thread.
#[derive(Debug, Default)]
pub(super) struct Stopwatch(
    /// Nanoseconds. Only added to, and read when the threads are gone.
    AtomicU64,
);

impl Stopwatch {
    pub(super) fn time<R>(&self, work: impl FnOnce() -> R) -> R {
        let start = Instant::now();
        let result = work();
        self.add(start.elapsed());
        result
    }

    pub(super) fn add(&self, time: Duration) {
        self.0.fetch_add(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    fn total(&self) -> Duration {
        Duration::from_nanos(self.0.load(Ordering::Relaxed))
    }
}

/// The stages' stopwatches.
#[derive(Debug, Default)]
pub(super) struct Stages {
    pub(super) read: Stopwatch,
    pub(super) recover: Stopwatch,
    pub(super) prefetch: Stopwatch,
    pub(super) execute: Stopwatch,
    pub(super) roots: Stopwatch,
    pub(super) commit: Stopwatch,
    pub(super) flush: Stopwatch,
}

impl Stages {
    pub(super) fn times(&self) -> StageTimes {
        StageTimes {
            read: self.read.total(),
            recover: self.recover.total(),
            prefetch: self.prefetch.total(),
            execute: self.execute.total(),
            roots: self.roots.total(),
            commit: self.commit.total(),
            flush: self.flush.total(),
        }
    }
}
