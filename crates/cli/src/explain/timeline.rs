//! An actual run as a Chrome trace, which Perfetto and chrome://tracing show.

use crate::failure::Failure;
use serde_json::json;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::time::Duration;
use tandem_analysis::{ActualRun, Trace};
use tandem_evm::{Event, EventKind};

/// Writes the run's timeline in the format of Chrome's trace events: a row for each worker, times in microseconds.
pub(super) fn write(path: &Path, trace: &Trace, run: &ActualRun) -> Result<(), Failure> {
    let write = || -> io::Result<()> {
        let mut out = BufWriter::new(File::create(path)?);
        write!(out, "{{\"displayTimeUnit\":\"ns\",\"traceEvents\":[")?;
        let mut separator = "\n";
        for (worker, timeline) in run.metrics.timelines.iter().enumerate() {
            for event in timeline {
                write!(out, "{separator}{}", entry(trace, worker, event))?;
                separator = ",\n";
            }
        }
        writeln!(out, "\n]}}")?;
        out.flush()
    };
    write().map_err(|error| Failure::Input(format!("{} cannot be written: {error}", path.display())))
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
        "pid": 0,
        "tid": worker,
        "ts": us(event.start),
        "dur": us(event.time),
        "args": { "position": event.position, "hash": hash, "again": again, "waitedUs": us(waited), "what": category },
    })
}
