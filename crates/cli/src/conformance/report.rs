use crate::output::{complain, say};
use indicatif::ProgressBar;
use serde_json::json;
use tandem_conformance::{Event, Outcome, PackingCounts, Summary, Work};

/// In which form outcomes are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// A line per failure.
    Text,
    /// An object per test.
    Json,
    /// An object per test, with revme's fields.
    JsonOutcome,
}

/// Prints what comes of tests. The last line is always that of the counts.
pub(crate) struct Reporter {
    format: Format,
    bar: ProgressBar,
}

impl Reporter {
    pub(crate) fn new(format: Format, files: usize, progress: bool) -> Self {
        Self { format, bar: crate::run::progress(files, "testing", !progress) }
    }

    /// Prints an outcome, or moves the bar.
    pub(crate) fn note(&self, event: &Event<'_>) {
        let outcome = match event {
            Event::File(_) => return self.bar.inc(1),
            Event::Test(outcome) => outcome,
        };
        let line = match self.format {
            Format::Text => text(outcome),
            Format::Json => Some(json(outcome)),
            Format::JsonOutcome => Some(json_outcome(outcome)),
        };
        if let Some(line) = line {
            self.bar.suspend(|| say!("{line}"));
        }
    }

    /// Prints the counts.
    pub(crate) fn finish(&self, summary: &Summary, packing: Option<PackingCounts>) {
        self.bar.finish_and_clear();
        let Summary { passed, failed, files, files_left, unreadable, work, time } = summary;
        let Work { blocks, transactions, metrics } = work;
        for (file, reason) in unreadable.iter().skip(1) {
            complain!("{}: {reason}", file.display());
        }
        let seconds = time.as_secs_f64();
        if self.format == Format::Text {
            say!("{files} files in {seconds:.1} s");
            if *files_left > 0 {
                say!("{files_left} more files were not run, since a test failed (--keep-going runs them)");
            }
            if let Some(PackingCounts { packs, transactions, refused, left_out }) = packing {
                say!(
                    "{transactions} transactions in {packs} blocks; {refused} more were refused, {left_out} left out"
                );
            }
            say!(
                "engine: {transactions} transactions executed in {blocks} blocks, {} re-executed, {} repaired; {} steps, \
                 {} executions ({} ahead of their turn), {} conflicts, {} waits",
                metrics.reexecutions,
                metrics.repairs,
                metrics.steps,
                metrics.executions,
                metrics.executions - metrics.frontier_executions,
                metrics.conflicts,
                metrics.waits
            );
        } else {
            let mut object = json!({"summary": {
                "passed": passed,
                "failed": failed,
                "files": files,
                "filesLeft": files_left,
                "unreadable": unreadable.len(),
                "seconds": seconds,
                "counters": {
                    "blocks": blocks,
                    "transactions": transactions,
                    "steps": metrics.steps,
                    "executions": metrics.executions,
                    "frontierExecutions": metrics.frontier_executions,
                    "conflicts": metrics.conflicts,
                    "reexecutions": metrics.reexecutions,
                    "repairs": metrics.repairs,
                    "waits": metrics.waits,
                },
            }});
            if let Some(PackingCounts { packs, transactions, refused, left_out }) = packing {
                object["summary"]["packing"] = json!({
                    "blocks": packs,
                    "transactions": transactions,
                    "refused": refused,
                    "leftOut": left_out,
                });
            }
            say!("{object}");
        }
        say!("{passed} passed, {failed} failed");
    }
}

/// A line about a failure.
fn text(outcome: &Outcome) -> Option<String> {
    let failure = outcome.failure.as_ref()?;
    let Outcome { file, test, fork, index, .. } = outcome;
    let index = index.map(|index| format!(" {index}")).unwrap_or_default();
    Some(format!("FAILED {}: {test} {fork}{index}: {failure}", file.display()))
}

fn json(outcome: &Outcome) -> String {
    let Outcome { file, test, fork, index, failure, .. } = outcome;
    let mut object = json!({"test": test, "file": file, "fork": fork, "pass": outcome.passed()});
    if let Some(index) = index {
        object["index"] = json!({"data": index.data, "gas": index.gas, "value": index.value});
    }
    if let Some(failure) = failure {
        object["error"] = json!(failure);
    }
    object.to_string()
}

/// The fields of revme's outcome; the output of the call is not among them, since the engine does not keep it.
fn json_outcome(outcome: &Outcome) -> String {
    let Outcome { test, fork, index, failure, computed, .. } = outcome;
    let result = match &computed.result {
        Some(Ok(true)) => "Success",
        Some(Ok(false)) => "Failed",
        Some(Err(error)) => error,
        None => "",
    };
    let mut object = json!({
        "stateRoot": computed.state_root.map(|root| root.to_string()),
        "logsRoot": computed.logs_hash.map(|hash| hash.to_string()),
        "gasUsed": computed.gas_used,
        "pass": outcome.passed(),
        "errorMsg": failure.as_deref().unwrap_or_default(),
        "evmResult": result,
        "fork": fork,
        "test": test,
    });
    if let Some(index) = index {
        object["d"] = json!(index.data);
        object["g"] = json!(index.gas);
        object["v"] = json!(index.value);
    }
    object.to_string()
}
