use super::check::{Checks, Verdict};
use super::execute::Outcome;
use super::row::{Row, Stop};
use super::settings::Settings;
use crate::shared::failure::Failure;
use crate::shared::output::{complain, results};
use serde::Serialize;
use std::io::{self, Write};
use std::time::Duration;
use tandem_evm::Metrics;

/// One block, as JSON.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct BlockLine<'a> {
    chain_id: u64,
    number: u64,
    fork: &'a str,
    txs: usize,
    gas: u64,
    ms: f64,
    conflicts: u64,
    repairs: u64,
    reexecutions: u64,
    checks: &'a Checks,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
    /// Why the block cannot be checked.
    #[serde(skip_serializing_if = "Option::is_none")]
    unchecked: Option<&'a str>,
}

/// The run, as JSON.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Summary<'a> {
    blocks: usize,
    failed: usize,
    /// Blocks that could not be checked as asked.
    #[serde(skip_serializing_if = "is_zero")]
    unchecked: usize,
    /// Blocks that alloy-evm executed, too.
    #[serde(skip_serializing_if = "Option::is_none")]
    by_alloy: Option<usize>,
    txs: usize,
    gas: u64,
    ms: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    spread_ms: Option<(f64, f64)>,
    #[serde(skip_serializing_if = "Option::is_none")]
    recovery_ms: Option<f64>,
    threads: usize,
    mode: &'a str,
    digest: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    counters: Option<Counters>,
}

/// The engine's counters, as JSON.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Counters {
    steps: u64,
    executions: u64,
    frontier_executions: u64,
    reexecutions: u64,
    early_reexecutions: u64,
    blocked: u64,
    conflicts: u64,
    conflicts_by_kind: Vec<(&'static str, u64)>,
    moved: u64,
    repairs: u64,
    joined: u64,
    waits: u64,
    execute_ms: f64,
    validate_ms: f64,
    commit_ms: f64,
    idle_ms: f64,
}

impl From<&Metrics> for Counters {
    fn from(metrics: &Metrics) -> Self {
        Self {
            steps: metrics.steps,
            executions: metrics.executions,
            frontier_executions: metrics.frontier_executions,
            reexecutions: metrics.reexecutions,
            early_reexecutions: metrics.early_reexecutions,
            blocked: metrics.blocked,
            conflicts: metrics.conflicts,
            conflicts_by_kind: tandem_evm::conflict_kinds()
                .iter()
                .copied()
                .zip(metrics.conflicts_by_kind.iter().copied())
                .collect(),
            moved: metrics.moved,
            repairs: metrics.repairs,
            joined: metrics.joined,
            waits: metrics.waits,
            execute_ms: ms(metrics.execute_time),
            validate_ms: ms(metrics.validate_time),
            commit_ms: ms(metrics.commit_time),
            idle_ms: ms(metrics.idle_time),
        }
    }
}

fn is_zero(number: &usize) -> bool {
    *number == 0
}

fn ms(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e6).round() / 1e3
}

/// Prints all rows and the summary; names faults on standard error.
pub(crate) fn report(settings: &Settings, outcome: &Outcome) -> Result<(), Failure> {
    results(|out| if settings.json { json(out, settings, outcome) } else { table(out, settings, outcome) })?;
    for row in &outcome.rows {
        match &row.result {
            Ok(checks) => {
                for difference in checks.differences.iter().chain(&checks.missing) {
                    complain!("error: {}: {difference}", row.name);
                }
                for note in &checks.notes {
                    complain!("warning: {}: {note}", row.name);
                }
            }
            Err(Stop::Invalid(error)) => complain!("error: {}: {error}", row.name),
            Err(Stop::Unchecked(error)) => complain!("error: {}: unchecked: {error}", row.name),
        }
    }
    if failed(outcome) > 0 {
        Err(Failure::Check)
    } else if unchecked(outcome) > 0 {
        Err(Failure::Unchecked)
    } else {
        Ok(())
    }
}

/// How many blocks are invalid or failed a check.
fn failed(outcome: &Outcome) -> usize {
    let is_wrong = |row: &&Row| match &row.result {
        Ok(checks) => !checks.passed(),
        Err(stop) => matches!(stop, Stop::Invalid(_)),
    };
    outcome.rows.iter().filter(is_wrong).count()
}

/// How many of the others could not be checked as asked.
fn unchecked(outcome: &Outcome) -> usize {
    let is_open = |row: &&Row| match &row.result {
        Ok(checks) => checks.passed() && !checks.is_complete(),
        Err(stop) => matches!(stop, Stop::Unchecked(_)),
    };
    outcome.rows.iter().filter(is_open).count()
}

fn totals(outcome: &Outcome) -> (usize, u64) {
    let txs = outcome.rows.iter().map(|row| row.transactions).sum();
    (txs, outcome.rows.iter().map(|row| row.gas).sum())
}

fn json(out: &mut dyn Write, settings: &Settings, outcome: &Outcome) -> io::Result<()> {
    let none = Checks::default();
    for row in &outcome.rows {
        let line = BlockLine {
            chain_id: row.chain_id,
            number: row.number,
            fork: row.fork,
            txs: row.transactions,
            gas: row.gas,
            ms: ms(row.time),
            conflicts: row.history.conflicts,
            repairs: row.history.repairs,
            reexecutions: row.history.reexecutions,
            checks: row.result.as_ref().unwrap_or(&none),
            error: match &row.result {
                Err(Stop::Invalid(error)) => Some(error),
                _ => None,
            },
            unchecked: match &row.result {
                Err(Stop::Unchecked(error)) => Some(error),
                _ => None,
            },
        };
        writeln!(out, "{}", serde_json::to_string(&line)?)?;
    }
    let (txs, gas) = totals(outcome);
    let summary = Summary {
        blocks: outcome.rows.len(),
        failed: failed(outcome),
        unchecked: unchecked(outcome),
        by_alloy: outcome.by_alloy,
        txs,
        gas,
        ms: ms(outcome.time),
        spread_ms: (settings.repeat > 1).then(|| (ms(outcome.spread.0), ms(outcome.spread.1))),
        recovery_ms: outcome.recovery.map(ms),
        threads: settings.threads,
        mode: settings.mode.name(),
        digest: outcome.digest.to_string(),
        counters: settings.counters.then(|| Counters::from(&outcome.metrics)),
    };
    writeln!(out, "{}", serde_json::json!({ "summary": summary }))
}

fn table(out: &mut dyn Write, settings: &Settings, outcome: &Outcome) -> io::Result<()> {
    writeln!(
        out,
        "{:>8} {:>9} {:<14} {:>5} {:>11} {:>9} {:>8} {:>9} {:>7}  checks",
        "chain", "block", "fork", "txs", "gas", "ms", "Mgas/s", "conflicts", "repairs"
    )?;
    for row in &outcome.rows {
        writeln!(
            out,
            "{:>8} {:>9} {:<14} {:>5} {:>11} {:>9.3} {:>8.0} {:>9} {:>7}  {}",
            row.chain_id,
            row.number,
            row.fork,
            row.transactions,
            row.gas,
            ms(row.time),
            mgas_per_second(row.gas, row.time),
            row.history.conflicts,
            row.history.repairs,
            verdict(row),
        )?;
    }
    let (txs, gas) = totals(outcome);
    let seconds = outcome.time.as_secs_f64().max(1e-9);
    writeln!(out)?;
    writeln!(
        out,
        "{} blocks, {} failed; {txs} transactions, {gas} gas in {:.3} ms ({:.0} tx/s, {:.0} Mgas/s); mode {}, {} threads",
        outcome.rows.len(),
        failed(outcome),
        ms(outcome.time),
        txs as f64 / seconds,
        mgas_per_second(gas, outcome.time),
        settings.mode.name(),
        settings.threads,
    )?;
    if settings.repeat > 1 {
        let (least, most) = outcome.spread;
        writeln!(out, "median of {} runs, {:.3} to {:.3} ms", settings.repeat, ms(least), ms(most))?;
    }
    if let Some(blocks) = outcome.by_alloy {
        writeln!(out, "alloy-evm: {blocks} blocks executed, too")?;
    }
    match outcome.recovery {
        Some(time) => writeln!(out, "senders recovered before that in {:.3} ms", ms(time))?,
        None => writeln!(out, "senders recovered meanwhile")?,
    }
    if settings.counters {
        counters(out, &outcome.metrics)?;
    }
    writeln!(out, "digest {}", outcome.digest)
}

fn counters(out: &mut dyn Write, metrics: &Metrics) -> io::Result<()> {
    writeln!(
        out,
        "executions {} ({} at the frontier, {} in one run with the step before, {} again, {} of these early); blocked {}; waits {}",
        metrics.executions,
        metrics.frontier_executions,
        metrics.joined,
        metrics.reexecutions,
        metrics.early_reexecutions,
        metrics.blocked,
        metrics.waits,
    )?;
    write!(out, "conflicts {} (", metrics.conflicts)?;
    for (i, (kind, count)) in tandem_evm::conflict_kinds().iter().zip(&metrics.conflicts_by_kind).enumerate()
    {
        write!(out, "{}{kind} {count}", if i > 0 { ", " } else { "" })?;
    }
    writeln!(out, "); repaired {}; valid by a bound {}", metrics.repairs, metrics.moved)?;
    writeln!(
        out,
        "time over all workers: execute {:.3} ms, validate {:.3} ms, commit {:.3} ms, idle {:.3} ms",
        ms(metrics.execute_time),
        ms(metrics.validate_time),
        ms(metrics.commit_time),
        ms(metrics.idle_time),
    )
}

fn mgas_per_second(gas: u64, time: Duration) -> f64 {
    gas as f64 / 1e6 / time.as_secs_f64().max(1e-9)
}

/// The checks in a few words: those that failed, or those that passed and those that were not made.
fn verdict(row: &Row) -> String {
    let checks = match &row.result {
        Ok(checks) => checks,
        Err(Stop::Invalid(_)) => return "INVALID".to_owned(),
        Err(Stop::Unchecked(_)) => return "unchecked".to_owned(),
    };
    let mut names = vec![
        ("senders", checks.senders),
        ("gas", checks.gas),
        ("bloom", checks.bloom),
        ("receipts", checks.receipts_root),
        ("requests", checks.requests_hash),
        ("parent", checks.parent_root),
        ("state", checks.state_root),
    ];
    names.extend(checks.alloy.map(|verdict| ("alloy", verdict)));
    let list = |verdict| {
        let named: Vec<_> = names.iter().filter(|(_, v)| *v == verdict).map(|(name, _)| *name).collect();
        named.join(" ")
    };
    if !checks.passed() {
        return format!("FAILED {}", list(Verdict::Fail));
    }
    let parts = [("ok", Verdict::Ok), ("unproven", Verdict::Unproven), ("unchecked", Verdict::NotApplicable)];
    let parts = parts.map(|(word, verdict)| (word, list(verdict)));
    if parts[0].1.is_empty() && parts[1].1.is_empty() {
        return "not checked".to_owned();
    }
    let parts =
        parts.iter().filter(|(_, list)| !list.is_empty()).map(|(word, list)| format!("{word} {list}"));
    parts.collect::<Vec<_>>().join("; ")
}
