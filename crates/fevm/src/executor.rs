//! Tipsets in, results out.

use std::ops::RangeInclusive;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use cid::Cid;
use fvm::engine::{EngineConfig, EnginePool};
use fvm::externs::Externs;
use fvm::machine::{MachineContext, NetworkConfig};
use fvm_ipld_blockstore::Blockstore;
use fvm_shared::version::NetworkVersion;
use parking_lot::Mutex;

use crate::checks::Checks;
use crate::frontier::Frontier;
use crate::heat::Lessons;
use crate::process::{ProcessPool, WorkerCommand};
use crate::speculation::{self, Log, Records, Speculator};
use crate::stack::{STACK, on_large_stack};
use crate::step::{self, MessageResult, Step, TipsetResult};
use crate::store::{Journal, Layered};
use crate::stream::{self, Stream, Workers};

/// The network versions that `fvm` 4.8.4 executes.
pub(crate) const NETWORKS: RangeInclusive<NetworkVersion> = NetworkVersion::V21..=NetworkVersion::V29;

/// How steps are executed.
#[derive(Clone, Debug)]
pub struct Config {
    threads: usize,
    processes: Option<(usize, WorkerCommand)>,
    window: Option<usize>,
    lockstep: Option<usize>,
    hints: bool,
    contracts: Vec<Cid>,
    checks: Checks,
}

impl Config {
    /// For this many threads, at least one. One without worker processes executes every message at its turn and records nothing.
    pub fn new(threads: usize) -> Self {
        Self {
            threads: threads.max(1),
            processes: None,
            window: None,
            lockstep: None,
            hints: true,
            contracts: Vec::new(),
            checks: Checks::default(),
        }
    }

    /// So many worker processes besides the threads. Threads of one process interrupt each other when instances of WebAssembly end, which
    /// processes do not; but what they do must be sent. `docs/FEVM.md` compares them.
    ///
    /// Results do not depend on how processes end: one that ends, hangs or makes no sense is done without ([`Executor::lost`]). But the
    /// program is trusted as a thread is: its results, and the blocks it names, are not computed again.
    #[must_use]
    pub fn processes(mut self, processes: usize, command: WorkerCommand) -> Self {
        self.processes = (processes > 0).then_some((processes, command));
        self
    }

    /// How far ahead of the frontier speculation goes, in messages; eight for each thread and process unless set.
    #[must_use]
    pub fn window(mut self, window: usize) -> Self {
        self.window = Some(window.max(2));
        self
    }

    /// Speculates on so many steps at a time, all on one snapshot, then makes them final, on one thread: the conflicts of
    /// parallel execution, without its timing.
    #[must_use]
    pub fn lockstep(mut self, width: usize) -> Self {
        self.lockstep = Some(width.max(1));
        self.threads = self.threads.max(2);
        self
    }

    /// Whether messages wait for their turn whose recipient's earlier ones conflicted; they do unless this is off. Tests that want conflicts
    /// turn it off.
    #[doc(hidden)]
    #[must_use]
    pub fn hints(mut self, hints: bool) -> Self {
        self.hints = hints;
        self
    }

    /// The code CIDs of actors known to be the EVM actor: to keep its state tuple, to keep slots in a KAMT, and to do nothing with
    /// the CIDs of its nodes but follow them. Only their states are merged slot by slot; all others are taken as a whole.
    #[must_use]
    pub fn contracts(mut self, codes: impl IntoIterator<Item = Cid>) -> Self {
        self.contracts = codes.into_iter().collect();
        self
    }

    /// Turns checks off, to show that they are needed. Results are not exact then.
    #[doc(hidden)]
    #[must_use]
    pub fn checks(mut self, checks: Checks) -> Self {
        self.checks = checks;
        self
    }
}

/// Compiled actors and the instances they run in: one pool for the frontier and one for each thread, since instances of one pool are
/// made under one lock; a single thread has one for both. Clones share them; actors are compiled once for each pool.
#[derive(Clone)]
pub struct Engines {
    pools: Vec<EnginePool>,
}

impl Engines {
    /// For up to so many threads. A pool reserves about 4 TiB of addresses, and no memory before it is used.
    ///
    /// # Errors
    /// If the addresses cannot be had.
    pub fn new(network: &NetworkConfig, threads: usize) -> anyhow::Result<Self> {
        if threads <= 1 {
            return Self::shared(network, 1);
        }
        let config = EngineConfig::from(network);
        let pools = (0..=threads).map(|_| EnginePool::new(config.clone()));
        Ok(Self { pools: pools.collect::<Result<_, _>>()? })
    }

    /// As [`Engines::new`], but with one pool for all threads: compiled once, and threads wait for each other.
    ///
    /// # Errors
    /// If the addresses cannot be had.
    pub fn shared(network: &NetworkConfig, threads: usize) -> anyhow::Result<Self> {
        let mut config = EngineConfig::from(network);
        let executors = threads.max(1) + 1;
        config.concurrency = u32::try_from(executors)?;
        Ok(Self { pools: vec![EnginePool::new(config)?; executors] })
    }

    /// The frontier's pool, for execution in order.
    pub fn pool(&self) -> EnginePool {
        self.pools[0].clone()
    }

    /// The pools of all threads, the frontier's first.
    pub fn pools(&self) -> &[EnginePool] {
        &self.pools
    }
}

/// Executes tipsets in parallel, with the results of executing their steps one by one.
pub struct Executor {
    config: Config,
    engines: Engines,
    /// The last tipset's lessons about conflicts. Advisory.
    lessons: Mutex<Lessons>,
    /// Worker processes. Whoever finds them busy with another tipset does without.
    process_pool: Mutex<ProcessPool>,
}

impl Executor {
    /// An executor on these engines, for tipsets of their network. Starts worker processes, and does not wait for them.
    ///
    /// # Errors
    /// If the engines are for fewer threads, or a process cannot be started.
    pub fn new(engines: &Engines, config: Config) -> anyhow::Result<Self> {
        let workers = engines.pools.len() - 1;
        anyhow::ensure!(config.threads <= workers, "{} threads, and engines for {workers}", config.threads);
        let process_pool =
            config.processes.as_ref().map(|(processes, command)| ProcessPool::start(*processes, command));
        let process_pool = Mutex::new(process_pool.transpose()?.unwrap_or_default());
        Ok(Self { engines: engines.clone(), config, lessons: Mutex::default(), process_pool })
    }

    /// Has worker processes get ready for a tipset like this one: start, and compile its actors. Waits at most so long; gives how many
    /// are ready. Without it they join in when they are.
    pub fn prepare(&self, context: &MachineContext, within: Duration) -> usize {
        let mut process_pool = self.process_pool.lock();
        process_pool.begin(context, &self.config.contracts.clone().into());
        process_pool.prepare(within)
    }

    /// Why worker processes were given up, one line for each that was; everything goes on without them.
    pub fn lost(&self) -> Vec<String> {
        self.process_pool.lock().lost().to_vec()
    }

    /// Executes the steps on the state that the context names. New blocks reachable from the new root are written to the store, and
    /// only if every step could be executed.
    ///
    /// # Errors
    /// If the state cannot be read, or a message is one that no block may contain: [`crate::InvalidMessage`]. A message that only
    /// fails gets its receipt.
    pub fn execute<B, E>(
        &self,
        context: &MachineContext,
        store: &Arc<B>,
        externs: &E,
        steps: &[Step],
    ) -> anyhow::Result<TipsetResult>
    where
        B: Blockstore + Send + Sync + 'static,
        E: Externs + Clone + Send + Sync + 'static,
    {
        self.execute_observed(context, store, externs, steps, &|| ())
    }

    /// As [`Executor::execute`]; calls `done` for each step that becomes final.
    ///
    /// # Errors
    /// As [`Executor::execute`].
    pub fn execute_observed<B, E>(
        &self,
        context: &MachineContext,
        store: &Arc<B>,
        externs: &E,
        steps: &[Step],
        done: &(dyn Fn() + Sync),
    ) -> anyhow::Result<TipsetResult>
    where
        B: Blockstore + Send + Sync + 'static,
        E: Externs + Clone + Send + Sync + 'static,
    {
        let version = context.network_version;
        anyhow::ensure!(
            NETWORKS.contains(&version),
            "network version {version} is not supported: only {} to {} are",
            NETWORKS.start(),
            NETWORKS.end()
        );
        step::check(steps)?;
        let layered = Layered::new(Arc::clone(store))?;
        let machine = |pool: EnginePool, layered: &Layered<B>, records| {
            speculation::executor(pool, context, layered.clone(), externs.clone(), records)
                .with_context(|| format!("the state {} cannot be used", context.initial_state_root))
        };
        let contracts: Arc<[Cid]> = self.config.contracts.clone().into();
        let (mut busy, mut none) = (self.process_pool.try_lock(), ProcessPool::default());
        let process_pool = busy.as_deref_mut().unwrap_or(&mut none);
        let processes = process_pool.begin(context, &contracts);
        let early = steps.iter().filter(|step| stream::worth_speculating(step)).count();
        let several = self.config.threads + processes > 1;
        let parallel = several && (early > 1 || self.config.lockstep.is_some());
        let processes = if parallel && self.config.lockstep.is_none() { processes } else { 0 };
        let journal: Option<Arc<Journal>> = (processes > 0).then(Arc::default);
        let log: Arc<Log> = Arc::default();
        let records = if parallel { Records::Changes } else { Records::Nothing };
        let noted = journal.iter().fold(layered.clone(), Layered::noted);
        let frontier = Frontier::new(
            machine(self.engines.pool(), &noted, records)?,
            parallel.then(|| Arc::clone(&log)),
            journal.clone(),
            Arc::clone(&contracts),
            self.config.checks,
        );
        let speculator = |thread: usize| {
            let executor = machine(self.engines.pools[1 + thread].clone(), &layered, Records::All)?;
            anyhow::Ok(Speculator::new(executor, Arc::clone(&log), Arc::clone(&contracts)))
        };
        let (mut frontier, results) = match self.config.lockstep {
            Some(width) => on_large_stack(|| lockstep(steps, width, frontier, speculator(0)?))?,
            None => {
                // With one thread no worker speculates; it serves the frontier all the same.
                let threads = if parallel { self.config.threads } else { 1 };
                let window = self.config.window.unwrap_or(8 * (threads + processes));
                // A worker that cannot speculate leaves everything to the frontier, where errors are real.
                let speculator = |thread| speculator(thread).ok();
                let lessons = self.config.hints.then(|| self.lessons.lock().clone());
                let workers = Workers { threads, process_pool, processes };
                let stream = Stream::new(steps, frontier, window, workers, lessons.as_ref(), done);
                let (frontier, results, lessons) = in_parallel(stream, threads, &speculator)?;
                if parallel {
                    *self.lessons.lock() = lessons;
                }
                (frontier, results)
            }
        };
        let root = frontier.flush()?;
        let blocks = layered.settle(&root)?;
        process_pool.end(&root, journal.as_deref(), &blocks);
        Ok(TipsetResult { results, root, stats: frontier.stats })
    }
}

type Finished<B, E> = (Frontier<B, E>, Vec<MessageResult>);

fn in_parallel<B, E>(
    stream: Stream<'_, B, E>,
    threads: usize,
    speculator: &(dyn Fn(usize) -> Option<Speculator<B, E>> + Sync),
) -> anyhow::Result<(Frontier<B, E>, Vec<MessageResult>, Lessons)>
where
    B: Blockstore + Send + Sync + 'static,
    E: Externs + Send + 'static,
{
    let shared = &stream;
    std::thread::scope(|scope| {
        for thread in 0..threads {
            let worker = move || {
                // The state that a panic left is not looked at again: the stream only says that it failed.
                if catch_unwind(AssertUnwindSafe(|| shared.work(|| speculator(thread)))).is_err() {
                    shared.abandon();
                }
            };
            let name = format!("tandem-fevm-{thread}");
            let thread = std::thread::Builder::new().name(name).stack_size(STACK);
            if thread.spawn_scoped(scope, worker).is_err() {
                shared.abandon();
            }
        }
    });
    stream.finish()
}

fn lockstep<B, E>(
    steps: &[Step],
    width: usize,
    mut frontier: Frontier<B, E>,
    mut speculator: Speculator<B, E>,
) -> anyhow::Result<Finished<B, E>>
where
    B: Blockstore + 'static,
    E: Externs + 'static,
{
    let mut results = Vec::with_capacity(steps.len());
    for batch in steps.chunks(width) {
        let outcomes: Vec<_> = batch.iter().map(|step| speculator.speculate_step(step, true)).collect();
        for (step, outcome) in batch.iter().zip(outcomes) {
            results.push(match outcome {
                Some(outcome) => frontier.settle(step, outcome, None)?.0,
                None => frontier.execute(step, true)?,
            });
        }
    }
    Ok((frontier, results))
}
