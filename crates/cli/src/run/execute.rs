use super::args::Senders;
use super::missing::missing_accounts;
use super::row::{Facts, Row, Stop, Wanted, row};
use super::settings::Settings;
use crate::shared::digest::run_digest;
use crate::shared::execute::{Progress, execute_stream};
use crate::shared::executed::ExecutedBlock;
use crate::shared::failure::Failure;
use crate::shared::input::{Input, InputBlock};
use crate::shared::mode::Mode;
use crate::shared::plain::execute_plain;
use crate::shared::progress::progress;
use crate::shared::proof::chain_roots;
use crate::shared::source::Source;
use alloy_primitives::B256;
use indicatif::ProgressBar;
use rayon::prelude::*;
use std::time::{Duration, Instant};
use tandem_evm::{Cut, Executor, Metrics, PlainExecutor, SignedBlock};
use tandem_state::MemoryStore;

/// The results of all blocks.
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
        let executed = once(settings, executor, &mut plain, &mut source, &worlds, &facts, &bar)?;
        let complete = (complete && settings.check).then(|| &worlds[0]);
        runs.push(checked(settings, executor, complete, &facts, executed)?);
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
        Mode::Revm => execute_plain(plain, source, worlds, &chains, Duration::ZERO, bar),
        Mode::Stream | Mode::Serial => {
            execute_stream(executor, Cut::Never, source, worlds, &chains, Duration::ZERO, bar)
        }
        Mode::Block => execute_stream(executor, Cut::Batch, source, worlds, &chains, Duration::ZERO, bar),
    }
}

/// Checks everything after it was executed, so that checking takes nothing from execution. `complete` is the state that
/// the blocks start from, if it is known in full: then their roots are checked, too.
fn checked(
    settings: &Settings,
    executor: &Executor,
    complete: Option<&MemoryStore>,
    facts: &[Facts],
    executed: Progress,
) -> Result<Outcome, Failure> {
    let Progress { results, time, metrics } = executed;
    let roots = complete.map_or(Ok(Vec::new()), |state| {
        let changes = results.iter().map_while(|result| Some(&result.as_ref().ok()?.output.changes));
        executor.background().run(|| chain_roots(state, changes))
    });
    let mut roots = roots.map_err(Failure::fault)?.into_iter().map(Some).collect::<Vec<_>>();
    roots.resize(results.len(), None);
    let bar = progress(facts.len(), "checking", settings.json);
    let finish = |((facts, result), root): ((&Facts, Result<ExecutedBlock, String>), Option<B256>)| {
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
