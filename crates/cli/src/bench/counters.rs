//! Counters of the ways to execute, and the limits of their scaling.

use super::block_set::BlockSet;
use super::sample::Variant;
use crate::shared::execute::execute_stream;
use crate::shared::failure::Failure;
use crate::shared::process::sleeps;
use indicatif::ProgressBar;
use serde::Serialize;
use std::io::{self, Write};
use std::time::Duration;
use tandem_evm::{Config, EventKind, Executor, Metrics};

/// Runs, of which the one with the median time is told of.
const RUNS: usize = 5;

/// The counters of one way to execute, per transaction or per thousand of them.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Counters {
    /// Time of an execution, in nanoseconds, waiting not counted. More than with one worker: memory and locks in dispute.
    execute_ns: f64,
    /// Time in validating results at the frontier, in nanoseconds per transaction.
    validate_ns: f64,
    /// Time in committing at the frontier, in nanoseconds per transaction.
    commit_ns: f64,
    /// Time in executing at the frontier, in nanoseconds per transaction.
    frontier_ns: f64,
    /// The speed-up that validating and committing alone, which only one thread does at a time, would stop at.
    ceiling: f64,
    /// Executions at the frontier in a thousand transactions.
    frontier_executions: f64,
    /// Executions beyond the first of a step.
    again: f64,
    /// Results found invalid.
    conflicts: f64,
    /// Steps that were queued behind an earlier step of their conflict class.
    followed: f64,
    /// Executions in one run with the step before.
    joined: f64,
    /// Reads that waited for a writer.
    waits: f64,
    /// Times that a thread went to sleep: for a lock, for work, in a read.
    #[serde(skip_serializing_if = "Option::is_none")]
    sleeps: Option<f64>,
    /// Share of the threads' time in which they had nothing to do.
    idle: f64,
}

/// One measured execution: its time, its counters and how often threads went to sleep.
pub(super) struct Measurement {
    time: Duration,
    pub(super) metrics: Metrics,
    sleeps: Option<u64>,
    /// Transactions that were executed, one at least.
    transactions: f64,
}

impl Measurement {
    /// Runs a block set with timers in the engine, which take some 0.1 us for each step. Of several runs the one with the median time.
    pub(super) fn median(set: &mut BlockSet, variant: &Variant, latency: Duration) -> Result<Self, Failure> {
        let config = Config::default().threads(variant.threads).timelines(true);
        let executor = Executor::new(&config).map_err(Failure::input)?;
        let BlockSet { source, worlds, chains, .. } = set;
        let mut runs = Vec::with_capacity(RUNS);
        for _ in 0..=RUNS {
            let before = sleeps();
            let bar = ProgressBar::hidden();
            let progress = execute_stream(&executor, variant.cut(), source, worlds, chains, latency, &bar)?;
            let sleeps = before.and_then(|before| sleeps()?.checked_sub(before));
            let results = progress.results.iter().flatten();
            let transactions = results.map(|block| block.receipts.len()).sum::<usize>().max(1) as f64;
            runs.push(Self { time: progress.time, metrics: progress.metrics, sleeps, transactions });
        }
        // The first one warmed up.
        runs.remove(0);
        runs.sort_by_key(|run| run.time);
        Ok(runs.swap_remove(RUNS / 2))
    }

    /// The time in executing, waiting not counted: at any time, and of that at the frontier.
    pub(super) fn executing(&self) -> (Duration, Duration) {
        let (mut executing, mut frontier) = (Duration::ZERO, Duration::ZERO);
        for event in self.metrics.timelines.iter().flatten() {
            if let EventKind::Execution { speculative, waited, .. } = event.kind {
                let busy = event.time.saturating_sub(waited);
                executing += busy;
                if !speculative {
                    frontier += busy;
                }
            }
        }
        (executing, frontier)
    }

    /// A time, in nanoseconds per transaction.
    pub(super) fn each(&self, time: Duration) -> f64 {
        rounded(time.as_nanos() as f64 / self.transactions)
    }

    /// A count per thousand transactions.
    pub(super) fn thousand(&self, count: u64) -> f64 {
        rounded(1e3 * count as f64 / self.transactions)
    }
}

fn rounded(number: f64) -> f64 {
    (number * 1e3).round() / 1e3
}

impl Counters {
    /// What happened in a run. `baseline` is the plain loop's time for the block set.
    pub(super) fn new(run: &Measurement, threads: usize, baseline: Duration) -> Self {
        let Measurement { time, metrics, sleeps, .. } = run;
        let (executing, frontier) = run.executing();
        let ordered = metrics.validate_time + metrics.commit_time;
        let total = time.as_secs_f64() * threads as f64;
        Self {
            execute_ns: rounded(executing.as_nanos() as f64 / metrics.executions.max(1) as f64),
            validate_ns: run.each(metrics.validate_time),
            commit_ns: run.each(metrics.commit_time),
            frontier_ns: run.each(frontier),
            ceiling: rounded(baseline.as_secs_f64() / ordered.as_secs_f64().max(1e-9)),
            frontier_executions: run.thousand(metrics.frontier_executions),
            again: run.thousand(metrics.reexecutions),
            conflicts: run.thousand(metrics.conflicts),
            followed: run.thousand(metrics.followed),
            joined: run.thousand(metrics.joined),
            waits: run.thousand(metrics.waits),
            sleeps: sleeps.map(|sleeps| run.thousand(sleeps)),
            idle: rounded((metrics.idle_time.as_secs_f64() / total.max(1e-9)).min(1.0)),
        }
    }

    /// The head of a table of counters, behind `width` columns.
    pub(super) fn head(out: &mut dyn Write, width: usize) -> io::Result<()> {
        writeln!(out, "\nnanoseconds per transaction or execution; counts per 1,000 transactions")?;
        writeln!(
            out,
            "{:width$}  threads  mode    {:>8}  {:>8}  {:>7}  {:>8}  {:>7}  {:>8}  {:>7}  {:>9}  {:>8}  {:>7}  {:>7}  {:>8}  {:>6}",
            "case",
            "execute",
            "validate",
            "commit",
            "frontier",
            "ceiling",
            "executed",
            "again",
            "conflicts",
            "followed",
            "joined",
            "waits",
            "sleeps",
            "idle"
        )
    }

    pub(super) fn row(&self, out: &mut dyn Write) -> io::Result<()> {
        let sleeps = self.sleeps.map_or("-".to_owned(), |sleeps| format!("{sleeps:.1}"));
        writeln!(
            out,
            "{:>8.0}  {:>8.0}  {:>7.0}  {:>8.0}  {:>6.1}x  {:>8.1}  {:>7.1}  {:>9.1}  {:>8.1}  {:>7.1}  {:>7.1}  {:>8}  {:>4.0} %",
            self.execute_ns,
            self.validate_ns,
            self.commit_ns,
            self.frontier_ns,
            self.ceiling,
            self.frontier_executions,
            self.again,
            self.conflicts,
            self.followed,
            self.joined,
            self.waits,
            sleeps,
            100.0 * self.idle
        )
    }
}
