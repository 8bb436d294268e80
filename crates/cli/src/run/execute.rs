use super::alloy::{Comparison, compare};
use super::args::Senders;
use super::check::Verdict;
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
    /// How many blocks alloy-evm executed, too, if it was asked.
    pub(crate) by_alloy: Option<usize>,
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
    let chains: Vec<usize> = facts.iter().map(|facts| facts.world).collect();
    let mut runner = Runner {
        settings,
        executor,
        plain: PlainExecutor::new(),
        worlds: &worlds,
        chains,
        comparisons: None,
    };
    let mut runs = Vec::with_capacity(settings.repeat);
    for _ in 0..settings.repeat {
        let executed = runner.run(&mut source, &bar)?;
        let complete = (complete && settings.check).then(|| &worlds[0]);
        runs.push(checked(settings, executor, complete, &facts, executed)?);
    }
    for run in &mut runs {
        if let Some(comparisons) = &runner.comparisons {
            run.by_alloy = Some(comparisons.iter().filter(|comparison| comparison.was_made()).count());
            for (row, comparison) in run.rows.iter_mut().zip(comparisons) {
                if let Ok(checks) = &mut row.result {
                    comparison.add_to(checks);
                }
            }
        }
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

/// Executes the same blocks once or more often.
struct Runner<'a> {
    settings: &'a Settings,
    executor: &'a Executor,
    plain: PlainExecutor,
    worlds: &'a [MemoryStore],
    chains: Vec<usize>,
    /// The first run's blocks beside alloy-evm's, if it was asked. All runs have the same digest.
    comparisons: Option<Vec<Comparison>>,
}

impl Runner<'_> {
    fn run(&mut self, source: &mut Source, bar: &ProgressBar) -> Result<Progress<ExecutedBlock>, Failure> {
        let (worlds, chains) = (self.worlds, &self.chains);
        let cut = match self.settings.mode {
            Mode::Revm => return execute_plain(&mut self.plain, source, worlds, chains, Duration::ZERO, bar),
            Mode::Stream | Mode::Serial => Cut::Never,
            Mode::Block => Cut::Batch,
        };
        let finished = execute_stream(self.executor, cut, source, worlds, chains, Duration::ZERO, bar)?;
        if self.settings.alloy && self.comparisons.is_none() {
            self.comparisons = Some(compare(&finished.results, worlds, chains, self.settings.json));
        }
        Ok(finished.map(ExecutedBlock::from))
    }
}

/// Checks everything after it was executed, so that checking takes nothing from execution. `complete` is the state that
/// the blocks start from, if it is known in full: then their roots are checked, too.
fn checked(
    settings: &Settings,
    executor: &Executor,
    complete: Option<&MemoryStore>,
    facts: &[Facts],
    executed: Progress<ExecutedBlock>,
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
    Ok(Outcome { rows, time, recovery: None, metrics, digest, by_alloy: None, spread: (time, time) })
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
            // alloy-evm has the same pre-state.
            Ok(checks) if !checks.passed() && checks.alloy != Some(Verdict::Fail) => {
                checks.differences.join("; ")
            }
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
