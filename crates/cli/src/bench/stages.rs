//! `tandem bench --stages`: what each stage of a step costs, and how far that would let more threads scale.

use super::counters::Measurement;
use super::sample::Variant;
use crate::shared::mode::Mode;
use serde::Serialize;
use std::io::{self, Write};
use std::ops::Range;
use std::time::Duration;
use tandem_analysis::{Costs, Graph, Trace, limit, simulate, speed_up};

/// Numbers of threads to simulate.
const THREADS: [usize; 5] = [2, 4, 8, 16, 64];
/// Steps that the engine has in flight at most, unless told.
const WINDOW: usize = 1_024;

/// What some threads would make of a block set. Estimates.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Simulated {
    threads: usize,
    /// The speed-up over the plain loop, with the costs of each stage and what the steps need of each other.
    speedup: f64,
    /// The most that any engine could reach.
    ideal: f64,
}

/// The stages of one way to execute: nanoseconds per transaction, counts per thousand of them.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Stages {
    /// Executing, on any thread, again and in vain included.
    execute_ns: f64,
    /// Pulling input and entering steps. One thread at a time, ahead of execution.
    input_ns: f64,
    /// Validating results. In order, like the next two.
    validate_ns: f64,
    /// Applying effects.
    commit_ns: f64,
    /// Putting blocks together and handing them on.
    deliver_ns: f64,
    /// The part of a step that happens in order, as a share of all its time.
    ordered_share: f64,
    lost_claims: f64,
    lost_locks: f64,
    wake_ups: f64,
    simulated: Vec<Simulated>,
}

impl Stages {
    /// The stages of a run of steps with these times and needs. `baseline` is the plain loop's time for them.
    pub(super) fn new(
        run: &Measurement,
        (trace, graph): &(Trace, Graph),
        variant: &Variant,
        baseline: Duration,
    ) -> Self {
        let metrics = &run.metrics;
        let (executing, _) = run.executing();
        let own: Duration = trace.steps.iter().map(|step| step.time).sum();
        let ordered = metrics.validate_time + metrics.commit_time;
        let steps = u32::try_from(trace.steps.len().max(1)).unwrap_or(u32::MAX);
        let costs = Costs {
            execution: executing.as_secs_f64() / own.as_secs_f64().max(1e-9),
            input: metrics.feed_time / steps,
            ordered: ordered / steps,
        };
        let share = ordered.as_secs_f64() / (executing + metrics.feed_time + ordered).as_secs_f64().max(1e-9);
        let ranges = ranges(trace, variant);
        Self {
            execute_ns: run.each(executing),
            input_ns: run.each(metrics.feed_time),
            validate_ns: run.each(metrics.validate_time),
            commit_ns: run.each(metrics.commit_time.saturating_sub(metrics.sink_time)),
            deliver_ns: run.each(metrics.sink_time),
            ordered_share: (share * 1e4).round() / 1e4,
            lost_claims: run.thousand(metrics.lost_claims),
            lost_locks: run.thousand(metrics.lost_locks),
            wake_ups: run.thousand(metrics.wake_ups),
            simulated: THREADS
                .map(|threads| simulated(trace, graph, &ranges, threads, costs, baseline))
                .into(),
        }
    }

    /// The head of a table of stages, behind `width` columns.
    pub(super) fn head(out: &mut dyn Write, width: usize) -> io::Result<()> {
        writeln!(
            out,
            "\nnanoseconds per transaction; counts per 1,000 transactions; speed-ups simulated with these costs"
        )?;
        write!(
            out,
            "{:width$}  threads  mode    {:>8}  {:>6}  {:>8}  {:>6}  {:>7}  {:>8}  {:>6}  {:>6}  {:>8}",
            "case",
            "execute",
            "input",
            "validate",
            "commit",
            "deliver",
            "in order",
            "claims",
            "locks",
            "wake-ups"
        )?;
        for threads in THREADS {
            write!(out, "  {:>14}", format!("on {threads} (ideal)"))?;
        }
        writeln!(out)
    }

    pub(super) fn row(&self, out: &mut dyn Write) -> io::Result<()> {
        write!(
            out,
            "{:>8.0}  {:>6.0}  {:>8.0}  {:>6.0}  {:>7.0}  {:>6.1} %  {:>6.1}  {:>6.1}  {:>8.1}",
            self.execute_ns,
            self.input_ns,
            self.validate_ns,
            self.commit_ns,
            self.deliver_ns,
            100.0 * self.ordered_share,
            self.lost_claims,
            self.lost_locks,
            self.wake_ups
        )?;
        for Simulated { speedup, ideal, .. } in &self.simulated {
            write!(out, "  {:>14}", format!("{speedup:.2} ({ideal:.2})"))?;
        }
        writeln!(out)
    }
}

/// The steps that execute together: all of a stream, or those of a block.
fn ranges(trace: &Trace, variant: &Variant) -> Vec<Range<usize>> {
    if variant.mode == Mode::Block {
        trace.blocks.iter().map(|block| block.steps.clone()).collect()
    } else {
        std::iter::once(0..trace.steps.len()).collect()
    }
}

fn simulated(
    trace: &Trace,
    graph: &Graph,
    ranges: &[Range<usize>],
    threads: usize,
    costs: Costs,
    baseline: Duration,
) -> Simulated {
    let sum = |time: &dyn Fn(&Range<usize>) -> Duration| ranges.iter().map(time).sum::<Duration>();
    let own: Duration = trace.steps.iter().map(|step| step.time).sum();
    let time = sum(&|range| simulate(trace, graph, range.clone(), threads, WINDOW, costs));
    let least = sum(&|range| limit(trace, graph, range.clone(), threads));
    let rounded = |number: f64| (number * 1e3).round() / 1e3;
    Simulated { threads, speedup: rounded(speed_up(baseline, time)), ideal: rounded(speed_up(own, least)) }
}
