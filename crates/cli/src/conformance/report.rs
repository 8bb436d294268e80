use crate::shared::output::{complain, say};
use crate::shared::progress::progress;
use indicatif::ProgressBar;
use serde_json::json;
use tandem_conformance::{Event, Outcome, PackingCounts, Problem, Summary, Work};

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

/// Prints the outcome of tests. The last line is that of the counts, in JSON an object like all others.
pub(crate) struct Reporter {
    format: Format,
    bar: ProgressBar,
}

impl Reporter {
    pub(crate) fn new(format: Format, files: usize, shown: bool) -> Self {
        Self { format, bar: progress(files, "testing", !shown) }
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
        let Summary { passed, failed, unsupported, unchecked, files, files_left, unreadable, work, time } =
            summary;
        let Work { blocks, transactions, by_alloy, metrics } = work;
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
            if *by_alloy > 0 {
                say!("alloy-evm: {by_alloy} blocks executed, too");
            }
            let unsupported =
                unsupported.iter().map(|(fork, count)| format!(", {count} unsupported: {fork}"));
            let unchecked =
                unchecked.iter().map(|(name, count)| format!(", {count} reasons unchecked: {name}"));
            say!("{passed} passed, {failed} failed{}", unsupported.chain(unchecked).collect::<String>());
        } else {
            let mut object = json!({"summary": {
                "passed": passed,
                "failed": failed,
                "unsupported": unsupported,
                "unchecked": unchecked,
                "files": files,
                "filesLeft": files_left,
                "unreadable": unreadable.len(),
                "seconds": seconds,
                "counters": {
                    "blocks": blocks,
                    "transactions": transactions,
                    "byAlloy": by_alloy,
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
    }
}

/// A line about a failure. Tests that are not supported are counted: there may be thousands.
fn text(outcome: &Outcome) -> Option<String> {
    let Outcome { file, test, fork, index, problem, .. } = outcome;
    let Some(Problem::Failed(failure)) = problem else { return None };
    let index = index.map(|index| format!(" {index}")).unwrap_or_default();
    Some(format!("FAILED {}: {test} {fork}{index}: {failure}", file.display()))
}

fn json(outcome: &Outcome) -> String {
    let Outcome { file, test, fork, index, problem, .. } = outcome;
    let mut object = json!({"test": test, "file": file, "fork": fork, "pass": outcome.passed()});
    if let Some(index) = index {
        object["index"] = json!({"data": index.data, "gas": index.gas, "value": index.value});
    }
    if let Some(problem) = problem {
        object["error"] = json!(problem.to_string());
    }
    if !outcome.computed.unchecked.is_empty() {
        object["unchecked"] = json!(outcome.computed.unchecked);
    }
    if let Some(Problem::Unsupported(fork)) = problem {
        object["unsupported"] = json!(fork);
    }
    object.to_string()
}

/// The fields of revme's outcome; the output of the call is not among them, since the engine does not keep it.
fn json_outcome(outcome: &Outcome) -> String {
    let Outcome { test, fork, index, problem, computed, .. } = outcome;
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
        "errorMsg": problem.as_ref().map(ToString::to_string).unwrap_or_default(),
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
