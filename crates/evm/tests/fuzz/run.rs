//! Executes a case in one of many ways, and tells what is not as plain execution has it.

use crate::case::Case;
use crate::common::rng::Rng;
use crate::common::stores::SlowStore;
use crate::common::{Report, difference, execute_plainly, stream, with_executor};
use crate::watchdog::Watchdog;
use std::panic::{AssertUnwindSafe, catch_unwind};
use tandem_evm::{Block, Cut, Metrics};
use tandem_state::MemoryStore;

const THREADS: [usize; 4] = [2, 4, 8, 1];
/// Zero stands for the default.
const WINDOWS: [usize; 5] = [0, 2, 4, 16, 64];

/// One way to execute a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Way {
    pub(crate) threads: usize,
    pub(crate) window: usize,
    pub(crate) cut: Cut,
    /// Seed of the store's delays; zero for none.
    pub(crate) delays: u64,
}

impl Way {
    pub(crate) fn random(rng: &mut Rng) -> Self {
        Self {
            threads: if rng.chance(4) { 1 } else { *rng.pick(&THREADS[..3]) },
            window: *rng.pick(&WINDOWS),
            cut: if rng.chance(70) { Cut::Never } else { Cut::Batch },
            delays: if rng.chance(50) { rng.next() } else { 0 },
        }
    }

    /// Every combination, with delays and without.
    pub(crate) fn all(rng: &mut Rng) -> Vec<Self> {
        let mut ways = Vec::new();
        for threads in THREADS {
            for window in WINDOWS {
                for cut in [Cut::Never, Cut::Batch] {
                    ways.extend([0, rng.next()].map(|delays| Self { threads, window, cut, delays }));
                }
            }
        }
        ways
    }

    /// The same with other delays, if it has any.
    pub(crate) fn varied(self, rng: &mut Rng) -> Self {
        Self { delays: if self.delays == 0 { 0 } else { rng.next() }, ..self }
    }
}

/// A case, ready to be executed again and again.
pub(crate) struct Trial<'a> {
    case: &'a Case,
    pub(crate) blocks: Vec<Block>,
    pub(crate) store: MemoryStore,
    /// What plain execution gives.
    pub(crate) report: Report,
}

impl<'a> Trial<'a> {
    pub(crate) fn new(case: &'a Case) -> Self {
        let (blocks, store) = (case.build(), case.store());
        let report = execute_plainly(&blocks, &store);
        Self { case, blocks, store, report }
    }

    /// Executes the case. An error says what is different.
    pub(crate) fn run(&self, way: Way, watchdog: &Watchdog) -> Result<Metrics, String> {
        let Way { threads, window, cut, delays } = way;
        let executor = with_executor(threads, window);
        let slow = SlowStore::new(&self.store, delays, &self.case.slow);
        watchdog.begin(self.case, way);
        let tried = catch_unwind(AssertUnwindSafe(|| {
            let streamed = stream(&executor, &self.blocks, &slow, cut);
            let difference = difference(&streamed, &self.report);
            (difference, streamed.metrics)
        }));
        watchdog.end();
        match tried {
            Ok((None, metrics)) if self.case.quiet && metrics.conflicts > 0 => {
                Err(format!("{} conflicts though nothing changes that others rely on", metrics.conflicts))
            }
            Ok((None, metrics)) => Ok(metrics),
            Ok((Some(difference), _)) => Err(difference),
            Err(_) => Err("a panic, see above".to_owned()),
        }
    }
}
