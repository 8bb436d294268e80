use super::Settings;
use super::check::{Checks, Verdict};
use super::execute::{Outcome, Row};
use crate::failure::Failure;
use serde::Serialize;
use std::io::{self, BufWriter, Write};
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
}

/// The run, as JSON.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Summary<'a> {
    blocks: usize,
    failed: usize,
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

fn ms(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e6).round() / 1e3
}

/// Prints all rows and the summary; names what is wrong on standard error.
pub(crate) fn report(settings: &Settings, outcome: &Outcome) -> Result<(), Failure> {
    let mut out = BufWriter::new(io::stdout().lock());
    let written =
        if settings.json { json(&mut out, settings, outcome) } else { table(&mut out, settings, outcome) };
    match written.and_then(|()| out.flush()) {
        // Whoever reads has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
        other => other.map_err(|error| Failure::fault(format!("writing the results failed: {error}")))?,
    }
    drop(out);
    for row in &outcome.rows {
        match &row.result {
            Ok(checks) => {
                for difference in &checks.differences {
                    eprintln!("error: {}: {difference}", row.name);
                }
            }
            Err(error) => eprintln!("error: {}: {error}", row.name),
        }
    }
    if failed(outcome) > 0 { Err(Failure::Check) } else { Ok(()) }
}

fn failed(outcome: &Outcome) -> usize {
    outcome.rows.iter().filter(|row| !matches!(&row.result, Ok(checks) if checks.passed())).count()
}

fn totals(outcome: &Outcome) -> (usize, u64) {
    let txs = outcome.rows.iter().map(|row| row.transactions).sum();
    (txs, outcome.rows.iter().map(|row| row.gas).sum())
}

fn json(out: &mut impl Write, settings: &Settings, outcome: &Outcome) -> io::Result<()> {
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
            error: row.result.as_ref().err().map(String::as_str),
        };
        writeln!(out, "{}", serde_json::to_string(&line)?)?;
    }
    let (txs, gas) = totals(outcome);
    let summary = Summary {
        blocks: outcome.rows.len(),
        failed: failed(outcome),
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

fn table(out: &mut impl Write, settings: &Settings, outcome: &Outcome) -> io::Result<()> {
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
    match outcome.recovery {
        Some(time) => writeln!(out, "senders recovered before that in {:.3} ms", ms(time))?,
        None => writeln!(out, "senders recovered meanwhile")?,
    }
    if settings.counters {
        counters(out, &outcome.metrics)?;
    }
    writeln!(out, "digest {}", outcome.digest)
}

fn counters(out: &mut impl Write, metrics: &Metrics) -> io::Result<()> {
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

/// The checks in a few words: what failed, or what passed and what was not checked.
fn verdict(row: &Row) -> String {
    let checks = match &row.result {
        Ok(checks) => checks,
        Err(_) => return "INVALID".to_owned(),
    };
    let names = [
        ("senders", checks.senders),
        ("gas", checks.gas),
        ("bloom", checks.bloom),
        ("receipts", checks.receipts_root),
        ("requests", checks.requests_hash),
        ("parent", checks.parent_root),
        ("state", checks.state_root),
    ];
    let list = |verdict| {
        let named: Vec<_> = names.iter().filter(|(_, v)| *v == verdict).map(|(name, _)| *name).collect();
        named.join(" ")
    };
    if !checks.passed() {
        return format!("FAILED {}", list(Verdict::Fail));
    }
    match (list(Verdict::Ok).as_str(), list(Verdict::NotApplicable).as_str()) {
        ("", _) => "not checked".to_owned(),
        (passed, "") => format!("ok {passed}"),
        (passed, unchecked) => format!("ok {passed}; unchecked {unchecked}"),
    }
}
