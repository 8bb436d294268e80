use super::Settings;
use super::check::{Checks, Evidence, Output};
use super::digest::{block_digest, run_digest};
use super::load::{Input, InputBlock, PreState, progress};
use super::missing::missing_accounts;
use super::plain;
use super::proof::{Proof, chain_roots};
use super::source::Source;
use crate::args::{Mode, Senders};
use crate::failure::Failure;
use crate::slow::SlowStore;
use alloy_primitives::{Address, B256};
use indicatif::ProgressBar;
use rayon::prelude::*;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use tandem_evm::{
    BlockHistory, BlockInput, Cut, ExecutionError, Executor, FinishedBlock, Metrics, PlainExecutor,
    SignedBlock, StoreRef,
};
use tandem_state::MemoryStore;

/// What came of all blocks.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) rows: Vec<Row>,
    /// Time of execution alone, unless recovery overlapped with it.
    pub(crate) time: Duration,
    /// Time of sender recovery; `None` if it overlapped with execution.
    pub(crate) recovery: Option<Duration>,
    pub(crate) metrics: Metrics,
    pub(crate) digest: B256,
    /// Shortest and longest time of all runs.
    pub(crate) spread: (Duration, Duration),
}

/// What came of one block.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) chain_id: u64,
    pub(crate) number: u64,
    pub(crate) fork: &'static str,
    pub(crate) transactions: usize,
    pub(crate) gas: u64,
    pub(crate) time: Duration,
    pub(crate) history: BlockHistory,
    /// Why the block was not executed, or what came of its checks.
    pub(crate) result: Result<Checks, Stop>,
}

/// Why a block was not executed.
#[derive(Debug)]
pub(crate) enum Stop {
    /// It is invalid.
    Invalid(String),
    /// What there is of it and of the state before it does not suffice.
    Unchecked(String),
}

/// A block that was executed, by whichever way.
pub(crate) struct Executed {
    pub(crate) output: Output,
    pub(crate) time: Duration,
    pub(crate) history: BlockHistory,
}

/// What is known of a block before it runs.
pub(crate) struct Facts {
    name: String,
    world: usize,
    chain_id: u64,
    number: u64,
    fork: &'static str,
    transactions: usize,
    expected_senders: Vec<Address>,
    proof: Option<Proof>,
    pre_state: PreState,
}

/// What came of each block so far, and of the run as a whole.
#[derive(Default)]
pub(crate) struct Progress {
    pub(crate) results: Vec<Result<Executed, String>>,
    pub(crate) time: Duration,
    pub(crate) metrics: Metrics,
}

/// Executes everything as often as asked, and gives the run with the median time.
pub(crate) fn execute(settings: &Settings, executor: &Executor, input: Input) -> Result<Outcome, Failure> {
    let Input { blocks, worlds, complete } = input;
    let (facts, signed): (Vec<_>, Vec<_>) = blocks.into_iter().map(split).unzip();
    let start = Instant::now();
    let mut source = match settings.senders {
        Senders::Before => Source::recovered(executor, signed, settings.json),
        Senders::Ahead => Source::ahead(executor, signed),
    };
    let recovery = (settings.senders == Senders::Before).then(|| start.elapsed());
    let bar = progress(facts.len() * settings.repeat, "executing", settings.json);
    let mut plain = PlainExecutor::new();
    let mut runs = Vec::with_capacity(settings.repeat);
    for _ in 0..settings.repeat {
        let progress = once(settings, executor, &mut plain, &mut source, &worlds, &facts, &bar)?;
        let complete = (complete && settings.check).then(|| &worlds[0]);
        runs.push(checked(settings, executor, complete, &facts, progress)?);
    }
    for run in &mut runs {
        for (index, (row, facts)) in run.rows.iter_mut().zip(&facts).enumerate() {
            row.look_for_cause(&mut source, index, &worlds[facts.world], facts);
        }
    }
    bar.finish_and_clear();
    let digest = runs.first().map(|run: &Outcome| run.digest);
    if let Some(other) = runs.iter().position(|run| Some(run.digest) != digest) {
        return Err(Failure::fault(format!("run {} gave another digest than the first run", other + 1)));
    }
    runs.sort_by_key(|run| run.time);
    let spread = (runs[0].time, runs[runs.len() - 1].time);
    let median = runs.swap_remove(runs.len() / 2);
    Ok(Outcome { recovery, spread, ..median })
}

fn once(
    settings: &Settings,
    executor: &Executor,
    plain: &mut PlainExecutor,
    source: &mut Source,
    worlds: &[MemoryStore],
    facts: &[Facts],
    bar: &ProgressBar,
) -> Result<Progress, Failure> {
    let chains: Vec<usize> = facts.iter().map(|facts| facts.world).collect();
    match settings.mode {
        Mode::Revm => plain::execute(plain, source, worlds, &chains, Duration::ZERO, bar),
        Mode::Stream | Mode::Serial => {
            stream(executor, Cut::Never, source, worlds, &chains, Duration::ZERO, bar)
        }
        Mode::Block => stream(executor, Cut::Batch, source, worlds, &chains, Duration::ZERO, bar),
    }
}

/// Checks everything after it was executed, so that checking takes nothing from execution. `complete` is the state that
/// the blocks start from, if it is known in full: then their roots are checked, too.
fn checked(
    settings: &Settings,
    executor: &Executor,
    complete: Option<&MemoryStore>,
    facts: &[Facts],
    progress: Progress,
) -> Result<Outcome, Failure> {
    let Progress { results, time, metrics } = progress;
    let roots = complete.map_or(Ok(Vec::new()), |state| {
        let changes = results.iter().map_while(|result| Some(&result.as_ref().ok()?.output.changes));
        executor.background().run(|| chain_roots(state, changes))
    });
    let mut roots = roots.map_err(Failure::fault)?.into_iter().map(Some).collect::<Vec<_>>();
    roots.resize(results.len(), None);
    let bar = self::progress(facts.len(), "checking", settings.json);
    let finish = |((facts, result), root): ((&Facts, Result<Executed, String>), Option<B256>)| {
        let wanted = settings.check.then_some(Wanted { unproven: settings.unproven, must_prove: false });
        let row = row(wanted, facts, result.map_err(Stop::Invalid), root);
        bar.inc(1);
        row
    };
    let finished: Vec<(Row, B256)> =
        executor.background().run(|| facts.par_iter().zip(results).zip(roots).map(finish).collect());
    bar.finish_and_clear();
    let (rows, digests): (Vec<_>, Vec<_>) = finished.into_iter().unzip();
    let digest = run_digest(&digests);
    Ok(Outcome { rows, time, recovery: None, metrics, digest, spread: (time, time) })
}

fn split(block: InputBlock) -> (Facts, SignedBlock) {
    let InputBlock { name, signed, expected_senders, world, proof, pre_state } = block;
    let facts = Facts { world, ..Facts::new(name, &signed, expected_senders, proof, pre_state) };
    (facts, signed)
}

impl Facts {
    /// The facts of a block alone in its world.
    pub(crate) fn new(
        name: String,
        signed: &SignedBlock,
        expected_senders: Vec<Address>,
        proof: Option<Proof>,
        pre_state: PreState,
    ) -> Self {
        let header = &signed.header;
        Self {
            name,
            world: 0,
            chain_id: signed.chain.chain_id(),
            number: header.number,
            fork: signed.chain.fork(header.number, header.timestamp).unwrap_or_else(|error| error.fork()),
            transactions: signed.transactions.len(),
            expected_senders,
            proof,
            pre_state,
        }
    }
}

impl Row {
    /// Where something is wrong with a block that may be for want of accounts in its pre-state, names these.
    fn look_for_cause(&mut self, source: &mut Source, index: usize, state: &MemoryStore, facts: &Facts) {
        let wrong = match &self.result {
            Err(Stop::Invalid(error)) => error.clone(),
            Ok(checks) if !checks.passed() => checks.differences.join("; "),
            _ => return,
        };
        let Ok(block) = source.get(index) else { return };
        if let Some(missing) = missing_accounts(&block, state, &facts.pre_state) {
            self.result = Err(Stop::Unchecked(format!(
                "{missing}, which the block reads: it cannot be checked (as it is, {wrong})"
            )));
        }
    }
}

/// Runs blocks through the engine. A block that is invalid ends its stream; another one begins after it. Reads of the
/// base states take at least as long as `latency`.
pub(crate) fn stream(
    executor: &Executor,
    cut: Cut,
    source: &mut Source,
    worlds: &[MemoryStore],
    chains: &[usize],
    latency: Duration,
    bar: &ProgressBar,
) -> Result<Progress, Failure> {
    let slow: Vec<_> = worlds.iter().map(|store| SlowStore { store, latency }).collect();
    let stores: Vec<_> = slow.iter().map(StoreRef).collect();
    let mut progress = Progress::default();
    while progress.results.len() < chains.len() {
        let first = progress.results.len();
        let shared = Mutex::new(&mut *source);
        let inputs = (first..chains.len()).map_while(|index| {
            let block = shared.lock().unwrap_or_else(PoisonError::into_inner).get(index).ok()?;
            Some(BlockInput { block, store: &stores[chains[index]], world: chains[index] as u32 })
        });
        let start = Instant::now();
        let (blocks, metrics) =
            executor.stream(inputs, cut, |finished| finished.inspect(|_| bar.inc(1)).collect::<Vec<_>>());
        progress.time += start.elapsed();
        progress.metrics.merge(&metrics);
        let mut failure = None;
        for block in blocks {
            match block {
                Ok(block) => progress.results.push(Ok(executed(block))),
                Err(error @ (ExecutionError::Transaction { .. } | ExecutionError::Block { .. })) => {
                    failure = Some(error.to_string());
                }
                Err(error @ ExecutionError::Fork { .. }) => return Err(Failure::input(error)),
                Err(error) => return Err(Failure::fault(error)),
            }
        }
        let index = progress.results.len();
        if index < chains.len() {
            let error = failure.or_else(|| source.get(index).err().map(|error| error.to_string()));
            let Some(error) = error else {
                return Err(Failure::fault("a stream ended before its blocks did"));
            };
            progress.fail(error, chains);
        }
    }
    Ok(progress)
}

impl Progress {
    /// Notes that the next block is invalid, and that those which follow it in its chain cannot run.
    pub(crate) fn fail(&mut self, error: String, chains: &[usize]) {
        let world = chains[self.results.len()];
        self.results.push(Err(error));
        while chains.get(self.results.len()) == Some(&world) {
            self.results.push(Err("not executed, since a block before it is invalid".to_owned()));
        }
    }
}

fn executed(block: FinishedBlock) -> Executed {
    let (time, history) = (block.time, block.history);
    Executed { output: Output::from(block), time, history }
}

/// How strictly blocks are checked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted {
    /// Whether roots are computed that witnesses do not prove.
    pub(crate) unproven: bool,
    /// Whether nothing may be left unchecked.
    pub(crate) must_prove: bool,
}

/// Checks one block, if that is wanted, and computes its digest. `root` is that of the state after the block, if it was
/// computed.
pub(crate) fn row(
    wanted: Option<Wanted>,
    facts: &Facts,
    result: Result<Executed, Stop>,
    root: Option<B256>,
) -> (Row, B256) {
    let Facts { ref name, chain_id, number, fork, transactions, ref expected_senders, ref proof, .. } =
        *facts;
    let lacks_ommers = facts.pre_state.lacks_ommers;
    let (result, digest, gas, time, history) = match result {
        Ok(Executed { output, time, history }) => {
            let mut checks = Checks::default();
            if let Some(Wanted { unproven, must_prove }) = wanted {
                let (senders, proof) = (&expected_senders[..], proof.as_ref());
                checks =
                    Checks::new(&output, Evidence { senders, proof, lacks_ommers, unproven, must_prove });
                checks.check_root(&output, root);
            }
            (Ok(checks), block_digest(&output), output.gas_used, time, history)
        }
        Err(error) => (Err(error), B256::ZERO, 0, Duration::ZERO, BlockHistory::default()),
    };
    let name = name.clone();
    (Row { name, chain_id, number, fork, transactions, gas, time, history, result }, digest)
}
