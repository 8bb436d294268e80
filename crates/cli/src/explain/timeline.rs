//! An actual run as a Chrome trace, which Perfetto and chrome://tracing show.

use serde_json::json;
use std::io::{self, Write};
use std::time::Duration;
use tandem_analysis::{ActualRun, Trace};
use tandem_evm::{Event, EventKind};

/// The one process.
const PROCESS: u32 = 1;

/// Writes the run's timeline in the format of Chrome's trace events: a row for each worker, times in microseconds.
pub(super) fn write(out: &mut impl Write, trace: &Trace, run: &ActualRun) -> io::Result<()> {
    write!(out, "{{\"displayTimeUnit\":\"ns\",\"traceEvents\":[\n{}", named("process_name", 0, "tandem"))?;
    for (worker, timeline) in run.metrics.timelines.iter().enumerate() {
        write!(out, ",\n{}", named("thread_name", worker, &format!("worker {worker}")))?;
        for event in timeline {
            write!(out, ",\n{}", entry(trace, worker, event))?;
        }
    }
    writeln!(out, "\n]}}")
}

/// A row's name.
fn named(what: &str, worker: usize, name: &str) -> serde_json::Value {
    json!({ "name": what, "ph": "M", "pid": PROCESS, "tid": worker, "args": { "name": name } })
}

fn entry(trace: &Trace, worker: usize, event: &Event) -> serde_json::Value {
    let step = event.position as usize;
    let name = if step < trace.steps.len() { trace.step_name(step) } else { format!("step {step}") };
    let us = |time: Duration| time.as_nanos() as f64 / 1e3;
    let (category, again, waited) = match event.kind {
        EventKind::Execution { incarnation: 1.., waited, .. } => ("again", true, waited),
        EventKind::Execution { speculative: true, waited, .. } => ("ahead", false, waited),
        EventKind::Execution { waited, .. } => ("at its turn", false, waited),
        EventKind::Conflict => ("conflict", false, Duration::ZERO),
        EventKind::EarlyConflict => ("conflict found early", false, Duration::ZERO),
        EventKind::Repair => ("repair", false, Duration::ZERO),
    };
    let hash = trace.steps.get(step).and_then(|step| step.transaction.as_ref()).map(|tx| tx.hash.to_string());
    json!({
        "name": name,
        "cat": category,
        "ph": "X",
        "pid": PROCESS,
        "tid": worker,
        "ts": us(event.start),
        "dur": us(event.time),
        "args": { "position": event.position, "hash": hash, "again": again, "waitedUs": us(waited), "what": category },
    })
}
