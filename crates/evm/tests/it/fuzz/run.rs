//! Executes a case in one of many ways, and tells what is not as plain execution has it.

use crate::common::rng::Rng;
use crate::common::stores::SlowStore;
use crate::common::{
    Draft, NEVER, Report, difference, disagreement, execute_plainly, stream_watched, with_executor,
};
use crate::fuzz::case::Case;
use crate::fuzz::watchdog::Watchdog;
use std::panic::{AssertUnwindSafe, catch_unwind};
use tandem_evm::{Block, Cut, Metrics};
use tandem_state::MemoryStore;

const THREADS: [usize; 4] = [2, 4, 8, 1];
/// Zero stands for the default.
const WINDOWS: [usize; 5] = [0, 2, 4, 16, 64];
const PARTS: [usize; 5] = [NEVER, 1, 2, 3, 7];

/// How a case is executed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ExecutionMode {
    /// By alloy-evm's executor.
    Reference,
    /// By the engine.
    Engine(Setting),
}

/// A setting of the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Setting {
    pub(crate) threads: usize,
    pub(crate) window: usize,
    pub(crate) cut: Cut,
    /// How many transactions somebody wants to see the changes of at once, which ends runs.
    pub(crate) every: usize,
    /// Seed of the store's delays; zero for none.
    pub(crate) delays: u64,
}

impl ExecutionMode {
    /// By alloy-evm, and on each number of threads in some way.
    pub(crate) fn some(rng: &mut Rng) -> Vec<Self> {
        let engine = THREADS.map(|threads| Self::on(threads, rng));
        [Self::Reference].into_iter().chain(engine).collect()
    }

    /// In some way on so many threads.
    fn on(threads: usize, rng: &mut Rng) -> Self {
        Self::Engine(Setting {
            threads,
            window: if rng.chance(40) { 0 } else { *rng.pick(&WINDOWS) },
            cut: if rng.chance(70) { Cut::Never } else { Cut::Batch },
            every: if rng.chance(70) { NEVER } else { *rng.pick(&PARTS[1..]) },
            delays: if rng.chance(40) { rng.next() } else { 0 },
        })
    }

    /// Ways in which what was wrong in this one might be wrong, too.
    pub(crate) fn like(self, attempts: usize, rng: &mut Rng) -> Vec<Self> {
        let other = |attempt: usize| match self {
            Self::Engine(setting) if attempt.is_multiple_of(2) => {
                let delays = if setting.delays == 0 { 0 } else { rng.next() };
                Self::Engine(Setting { delays, ..setting })
            }
            _ => Self::on(*rng.pick(&THREADS), rng),
        };
        // What is no stream always gives the same.
        if self == Self::Reference { vec![self] } else { (0..attempts).map(other).collect() }
    }

    /// Every combination, with delays and without.
    pub(crate) fn all(rng: &mut Rng) -> Vec<Self> {
        let mut ways = vec![Self::Reference];
        for threads in THREADS {
            for window in WINDOWS {
                for cut in [Cut::Never, Cut::Batch] {
                    let every = if rng.chance(50) { NEVER } else { *rng.pick(&PARTS[1..]) };
                    ways.extend(
                        [0, rng.next()]
                            .map(|delays| Self::Engine(Setting { threads, window, cut, every, delays })),
                    );
                }
            }
        }
        ways
    }
}

/// A case, ready to be executed again and again.
pub(crate) struct Trial<'a> {
    case: &'a Case,
    drafts: Vec<Draft>,
    pub(crate) blocks: Vec<Block>,
    pub(crate) store: MemoryStore,
    /// What plain execution gives.
    pub(crate) report: Report,
}

impl<'a> Trial<'a> {
    pub(crate) fn new(case: &'a Case) -> Self {
        let (drafts, store) = (case.drafts(), case.store());
        let blocks: Vec<_> = drafts.iter().map(Draft::build).collect();
        let report = execute_plainly(&blocks, &store);
        Self { case, drafts, blocks, store, report }
    }

    /// Executes the case. An error says what is different.
    pub(crate) fn run(&self, mode: ExecutionMode, watchdog: &Watchdog) -> Result<Metrics, String> {
        watchdog.begin(self.case, mode);
        let tried = catch_unwind(AssertUnwindSafe(|| match mode {
            ExecutionMode::Reference => {
                let disagreement = disagreement(&self.drafts, &self.store, &self.report);
                (disagreement.map(|what| format!("alloy-evm: {what}")), Metrics::default())
            }
            ExecutionMode::Engine(setting) => self.stream(setting),
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

    fn stream(&self, setting: Setting) -> (Option<String>, Metrics) {
        let Setting { threads, window, cut, every, delays } = setting;
        let slow = SlowStore::new(&self.store, delays, &self.case.slow);
        let executor = with_executor(threads, window);
        let streamed = stream_watched(&executor, &self.blocks, &slow, cut, every, |_| ());
        (difference(&streamed, &self.report), streamed.metrics)
    }
}
