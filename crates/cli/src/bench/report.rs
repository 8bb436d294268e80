use super::Settings;
use super::group::Group;
use super::sample::{Series, Variant};
use crate::args::Mode;
use crate::failure::Failure;
use serde::{Deserialize, Serialize};
use std::io::{self, BufWriter, Write};
use std::time::Duration;

/// The name of the row that takes all cases together.
const TOTAL: &str = "total";

/// One case, executed in one way: medians of all samples.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Row {
    pub(super) case: String,
    pub(super) threads: usize,
    pub(super) mode: String,
    /// Time of the plain loop, in milliseconds.
    pub(super) baseline_ms: f64,
    /// Time of the engine, in milliseconds.
    pub(super) ms: f64,
    /// Half of all samples lie between these, in milliseconds.
    pub(super) quartiles_ms: (f64, f64),
    /// How many times faster than the plain loop the engine is.
    pub(super) speedup: f64,
}

impl Row {
    fn new(case: &str, variant: &Variant, baseline: &[Duration], times: &[Duration]) -> Self {
        let (baseline_ms, ms) = (quantile(baseline, 0.5), quantile(times, 0.5));
        Self {
            case: case.to_owned(),
            threads: variant.threads,
            mode: variant.mode.name().to_owned(),
            baseline_ms: rounded(baseline_ms),
            ms: rounded(ms),
            quartiles_ms: (rounded(quantile(times, 0.25)), rounded(quantile(times, 0.75))),
            speedup: rounded(baseline_ms / ms),
        }
    }
}

fn rounded(number: f64) -> f64 {
    (number * 1e4).round() / 1e4
}

/// A quantile of some times, in milliseconds.
fn quantile(times: &[Duration], share: f64) -> f64 {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    let at = (share * (sorted.len().saturating_sub(1)) as f64).round() as usize;
    sorted.get(at).map_or(f64::NAN, |time| time.as_secs_f64() * 1e3)
}

/// Adds up several series, sample by sample.
fn sum<'a>(series: impl Iterator<Item = &'a Vec<Duration>>) -> Vec<Duration> {
    series.fold(Vec::new(), |mut sum, times| {
        sum.resize(times.len(), Duration::ZERO);
        sum.iter_mut().zip(times).for_each(|(sum, time)| *sum += *time);
        sum
    })
}

fn rows(groups: &[Group], variants: &[Variant], measured: &[Series]) -> Vec<Row> {
    let mut rows = Vec::new();
    for (group, series) in groups.iter().zip(measured) {
        for (variant, times) in variants.iter().zip(&series.variants) {
            match &group.case {
                Some(case) => {
                    rows.push(Row::new(case, variant, &series.baseline.total, &times.total));
                }
                // Of a block in the middle of a stream there is no time of its own.
                None if variant.mode == Mode::Stream => {}
                None => {
                    let blocks = group.names.iter().zip(series.baseline.blocks.iter().zip(&times.blocks));
                    rows.extend(
                        blocks.map(|(name, (baseline, times))| Row::new(name, variant, baseline, times)),
                    );
                }
            }
        }
    }
    for (at, variant) in variants.iter().enumerate() {
        let baseline = sum(measured.iter().map(|series| &series.baseline.total));
        let times = sum(measured.iter().map(|series| &series.variants[at].total));
        rows.push(Row::new(TOTAL, variant, &baseline, &times));
    }
    rows
}

/// Prints all rows.
pub(super) fn report(
    settings: &Settings,
    groups: &[Group],
    variants: &[Variant],
    measured: &[Series],
) -> Result<(), Failure> {
    let rows = rows(groups, variants, measured);
    print(|out| if settings.json { lines(out, &rows) } else { table(out, &rows) })
}

/// Writes to standard output.
pub(super) fn print(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Failure> {
    let mut out = BufWriter::new(io::stdout().lock());
    match write(&mut out).and_then(|()| out.flush()) {
        // Whoever reads has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other.map_err(|error| Failure::fault(format!("writing the results failed: {error}"))),
    }
}

/// Writes each row as a line of JSON.
pub(super) fn lines<T: Serialize>(out: &mut dyn Write, rows: &[T]) -> io::Result<()> {
    for row in rows {
        serde_json::to_writer(&mut *out, row)?;
        writeln!(out)?;
    }
    Ok(())
}

fn table(out: &mut dyn Write, rows: &[Row]) -> io::Result<()> {
    let width = rows.iter().map(|row| row.case.len()).max().unwrap_or_default().max(4);
    writeln!(
        out,
        "{:width$}  threads  mode    {:>11}  {:>11}  {:>23}  {:>8}",
        "case", "revm ms", "tandem ms", "half of samples", "speed-up"
    )?;
    for row in rows {
        let (low, high) = row.quartiles_ms;
        writeln!(
            out,
            "{:width$}  {:>7}  {:6}  {:>11.3}  {:>11.3}  {:>10.3} - {:>10.3}  {:>7.2}x",
            row.case, row.threads, row.mode, row.baseline_ms, row.ms, low, high, row.speedup
        )?;
    }
    Ok(())
}
