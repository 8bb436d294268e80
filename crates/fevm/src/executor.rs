//! Tipsets in, results out.

use std::ops::RangeInclusive;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use anyhow::Context as _;
use cid::Cid;
use fvm::engine::{EngineConfig, EnginePool};
use fvm::externs::Externs;
use fvm::machine::{MachineContext, NetworkConfig};
use fvm_ipld_blockstore::Blockstore;
use fvm_ipld_encoding::CborStore;
use fvm_shared::version::NetworkVersion;
use multihash_codetable::Code;

use crate::checks::Checks;
use crate::frontier::Frontier;
use crate::speculation::{self, Log, Records, Speculator};
use crate::step::{self, MessageResult, Step, TipsetResult};
use crate::store::Layered;
use crate::stream::{self, Done, Stream};

/// The network versions that `fvm` 4.8.4 executes.
pub(crate) const NETWORKS: RangeInclusive<NetworkVersion> = NetworkVersion::V21..=NetworkVersion::V29;

/// What `fvm` asks of a thread's stack.
const STACK: usize = 64 << 20;

/// How steps are executed.
#[derive(Clone, Debug)]
pub struct Config {
    threads: usize,
    window: usize,
    lockstep: Option<usize>,
    contracts: Vec<Cid>,
    checks: Checks,
}

impl Config {
    /// For this many threads, at least one. One executes every message at its turn and records nothing.
    pub fn new(threads: usize) -> Self {
        let threads = threads.max(1);
        Self {
            threads,
            window: 8 * threads,
            lockstep: None,
            contracts: Vec::new(),
            checks: Checks::default(),
        }
    }

    /// How far ahead of the frontier speculation goes, in messages; eight for each thread unless set.
    #[must_use]
    pub fn window(mut self, window: usize) -> Self {
        self.window = window.max(2);
        self
    }

    /// Speculates on so many steps at a time, all on one snapshot, then makes them final, on one thread: what parallel execution may
    /// meet, without its timing.
    #[must_use]
    pub fn lockstep(mut self, width: usize) -> Self {
        self.lockstep = Some(width.max(1));
        self.threads = self.threads.max(2);
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

/// Compiled actors and the instances they run in: one pool for the frontier and one for each worker, since instances of one pool are
/// made under one lock. Clones share them; actors are compiled once for each pool.
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
        let config = EngineConfig::from(network);
        let workers = if threads > 1 { threads } else { 0 };
        let pools = (0..=workers).map(|_| EnginePool::new(config.clone()));
        Ok(Self { pools: pools.collect::<Result<_, _>>()? })
    }

    /// As [`Engines::new`], but with one pool for all threads: compiled once, and threads wait for each other.
    ///
    /// # Errors
    /// If the addresses cannot be had.
    pub fn shared(network: &NetworkConfig, threads: usize) -> anyhow::Result<Self> {
        let mut config = EngineConfig::from(network);
        let workers = if threads > 1 { threads } else { 0 };
        config.concurrency = u32::try_from(workers + 1)?;
        Ok(Self { pools: vec![EnginePool::new(config)?; workers + 1] })
    }

    /// The frontier's pool, for whoever executes in order.
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
}

impl Executor {
    /// An executor on these engines, for tipsets of their network.
    ///
    /// # Errors
    /// If the engines are for fewer threads.
    pub fn new(engines: &Engines, config: Config) -> anyhow::Result<Self> {
        let workers = engines.pools.len() - 1;
        anyhow::ensure!(
            config.threads == 1 || config.threads <= workers,
            "{} threads, and engines for {workers}",
            config.threads
        );
        Ok(Self { engines: engines.clone(), config })
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
        let layered = Layered::new(Arc::clone(store));
        // Every actor's state before its constructor ran; `fvm` too sees to it that it is there.
        layered.put_cbor(&[(); 0], Code::Blake2b256)?;
        let machine = |pool: EnginePool, records| {
            let (layered, externs) = (layered.clone(), externs.clone());
            speculation::executor(pool, context, layered, externs, records)
                .with_context(|| format!("the state {} cannot be used", context.initial_state_root))
        };
        let early = steps.iter().filter(|step| stream::worth_speculating(step)).count();
        let parallel = self.config.threads > 1 && (early > 1 || self.config.lockstep.is_some());
        let log: Arc<Log> = Arc::default();
        let contracts: Arc<[Cid]> = self.config.contracts.clone().into();
        let frontier = Frontier::new(
            machine(self.engines.pool(), if parallel { Records::Changes } else { Records::Nothing })?,
            parallel.then(|| Arc::clone(&log)),
            Arc::clone(&contracts),
            self.config.checks,
        );
        let workers = if parallel { self.config.threads } else { 0 };
        let mut speculators = Vec::with_capacity(workers);
        for pool in &self.engines.pools[1..=workers] {
            let executor = machine(pool.clone(), Records::All)?;
            let speculator = Speculator::new(executor, Arc::clone(&log), Arc::clone(&contracts));
            speculators.push(Some(speculator));
        }
        let (mut frontier, results) = match (self.config.lockstep, speculators.pop()) {
            (Some(width), Some(Some(speculator))) => {
                on_large_stack(|| lockstep(steps, width, frontier, speculator))?
            }
            (_, last) => {
                // One thread has nobody who speculates; it serves the frontier all the same.
                speculators.push(last.flatten());
                in_parallel(steps, self.config.window, frontier, speculators, done)?
            }
        };
        let (root, layered) = frontier.flush()?;
        layered.settle(&root)?;
        Ok(TipsetResult { results, root, stats: frontier.stats })
    }
}

type Finished<B, E> = (Frontier<B, E>, Vec<MessageResult>);

fn in_parallel<B, E>(
    steps: &[Step],
    window: usize,
    frontier: Frontier<B, E>,
    workers: Vec<Option<Speculator<B, E>>>,
    done: &Done<'_>,
) -> anyhow::Result<Finished<B, E>>
where
    B: Blockstore + Send + Sync + 'static,
    E: Externs + Send + 'static,
{
    let stream = Stream::new(steps, frontier, window, done);
    let shared = &stream;
    std::thread::scope(|scope| {
        for (index, speculator) in workers.into_iter().enumerate() {
            let worker = move || {
                // What a panic left behind is not looked at again: the stream only says that it failed.
                if catch_unwind(AssertUnwindSafe(|| shared.work(speculator))).is_err() {
                    shared.abandon();
                }
            };
            let thread = std::thread::Builder::new().name(format!("tandem-fevm-{index}")).stack_size(STACK);
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
        let outcomes: Vec<_> = batch.iter().map(|step| speculator.speculate_step(step)).collect();
        for (step, outcome) in batch.iter().zip(outcomes) {
            results.push(match outcome {
                Some(outcome) => frontier.settle(step, outcome)?.0,
                None => frontier.execute(step, true)?,
            });
        }
    }
    Ok((frontier, results))
}

/// Runs on a thread with the stack that `fvm` asks for.
pub(crate) fn on_large_stack<T: Send>(work: impl FnOnce() -> anyhow::Result<T> + Send) -> anyhow::Result<T> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK);
        let thread = thread.spawn_scoped(scope, work).context("no thread")?;
        thread.join().unwrap_or_else(|_| Err(anyhow::anyhow!("a panic while executing")))
    })
}
