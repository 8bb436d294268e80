use crate::shared::failure::Failure;
use crate::shared::output::{lines, results};
use serde::Serialize;
use std::io::{self, Write};
use std::time::Duration;

/// A part of a stream.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Row {
    pub(super) case: String,
    threads: usize,
    #[serde(skip)]
    pub(super) blocks: usize,
    txs: usize,
    /// Time of the plain loop, in milliseconds.
    baseline_ms: f64,
    /// Time of the engine, in milliseconds.
    ms: f64,
    speedup: f64,
    /// Transactions in a second.
    rate: f64,
    /// Memory that the process holds at the end of the part, in MiB.
    #[serde(skip_serializing_if = "Option::is_none")]
    memory_mib: Option<f64>,
}

impl Row {
    /// `counts` are of blocks and transactions, `times` the plain loop's and the engine's.
    pub(super) fn new(
        case: String,
        threads: usize,
        counts: (usize, usize),
        times: (Duration, Duration),
        memory: Option<u64>,
    ) -> Self {
        let ((blocks, txs), (baseline, time)) = (counts, times);
        let (baseline, time) = (baseline.as_secs_f64(), time.as_secs_f64().max(1e-9));
        let rounded = |number: f64| (number * 1e4).round() / 1e4;
        Self {
            case,
            threads,
            blocks,
            txs,
            baseline_ms: rounded(baseline * 1e3),
            ms: rounded(time * 1e3),
            speedup: rounded(baseline / time),
            rate: (txs as f64 / time).round(),
            memory_mib: memory.map(mebibytes),
        }
    }
}

fn mebibytes(bytes: u64) -> f64 {
    (bytes as f64 / f64::from(1 << 20) * 10.0).round() / 10.0
}

/// The end of a stream beside its beginning.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Summary {
    case: String,
    threads: usize,
    /// The last part's rate as a share of the first one's.
    last_to_first: f64,
    /// Memory held after the last part beyond that after the first, in MiB.
    #[serde(skip_serializing_if = "Option::is_none")]
    growth_mib: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    peak_mib: Option<f64>,
}

impl Summary {
    pub(super) fn new(rows: &[Row], peak: Option<u64>) -> Option<Self> {
        let (first, last) = (rows.first()?, rows.last()?);
        let growth = last.memory_mib.zip(first.memory_mib).map(|(last, first)| last - first);
        Some(Self {
            case: first.case.clone(),
            threads: first.threads,
            last_to_first: (last.rate / first.rate * 1e4).round() / 1e4,
            growth_mib: growth.map(|growth| (growth * 10.0).round() / 10.0),
            peak_mib: peak.map(mebibytes),
        })
    }
}

pub(super) fn report(rows: &[Row], summary: Option<&Summary>, json: bool) -> Result<(), Failure> {
    results(|out| {
        if json {
            lines(out, rows)?;
            return lines(out, summary.as_slice());
        }
        table(out, rows)?;
        summary.map_or(Ok(()), |summary| end(out, summary))
    })
}

fn table(out: &mut dyn Write, rows: &[Row]) -> io::Result<()> {
    let width = rows.iter().map(|row| row.case.len()).max().unwrap_or_default().max(4);
    writeln!(
        out,
        "{:width$}  threads  {:>10}  {:>11}  {:>11}  {:>8}  {:>10}  {:>10}",
        "case", "txs", "revm ms", "tandem ms", "speed-up", "tx/s", "memory MiB"
    )?;
    for row in rows {
        let memory = row.memory_mib.map_or("-".to_owned(), |memory| format!("{memory:.1}"));
        writeln!(
            out,
            "{:width$}  {:>7}  {:>10}  {:>11.3}  {:>11.3}  {:>7.2}x  {:>10.0}  {:>10}",
            row.case, row.threads, row.txs, row.baseline_ms, row.ms, row.speedup, row.rate, memory
        )?;
    }
    Ok(())
}

fn end(out: &mut dyn Write, summary: &Summary) -> io::Result<()> {
    write!(out, "the last part at {:.3} of the first one's rate", summary.last_to_first)?;
    if let Some(growth) = summary.growth_mib {
        write!(out, "; memory {growth:+.1} MiB between their ends")?;
    }
    if let Some(peak) = summary.peak_mib {
        write!(out, ", {peak:.1} MiB at most")?;
    }
    writeln!(out)
}
