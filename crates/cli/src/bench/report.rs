use super::Settings;
use super::counters::Counters;
use super::group::Group;
use super::ideal::{Ideal, Ideals};
use super::sample::{Series, Variant};
use super::worst::worst;
use crate::args::Mode;
use crate::failure::Failure;
use crate::output::results;
use serde::Serialize;
use std::io::{self, Write};
use std::time::Duration;

/// The name of the row that takes all cases together.
const TOTAL: &str = "total";

/// One case, executed in one way: medians of all samples.
#[derive(Clone, Debug, Serialize)]
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
    /// How many times faster it could be at best: by the threads there are and the longest chain of steps that need each
    /// other.
    pub(super) ideal: f64,
    /// The same for a schedule that takes steps in order, as soon as they can be executed.
    pub(super) in_order: f64,
    /// The speed-up, as a share of the ideal one.
    pub(super) efficiency: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) counters: Option<Counters>,
}

impl Row {
    fn new(
        case: &str,
        variant: &Variant,
        baseline: &[Duration],
        times: &[Duration],
        ideal: Ideal,
        counters: Option<Counters>,
    ) -> Self {
        let (baseline_ms, ms) = (quantile(baseline, 0.5), quantile(times, 0.5));
        Self {
            case: case.to_owned(),
            threads: variant.threads,
            mode: variant.mode.name().to_owned(),
            baseline_ms: rounded(baseline_ms),
            ms: rounded(ms),
            quartiles_ms: (rounded(quantile(times, 0.25)), rounded(quantile(times, 0.75))),
            speedup: rounded(baseline_ms / ms),
            ideal: rounded(ideal.speed_up()),
            in_order: rounded(ideal.in_order()),
            efficiency: rounded(baseline_ms / ms / ideal.speed_up()),
            counters,
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

/// All that was measured of a group.
pub(super) struct Measured {
    pub(super) series: Series,
    /// By variant.
    pub(super) ideals: Vec<Ideals>,
    /// By variant, if anybody wants to know.
    pub(super) counters: Option<Vec<Counters>>,
}

/// The rows of single blocks, of which one stream has none, and those of whole groups with the total.
fn rows(groups: &[Group], variants: &[Variant], measured: &[Measured]) -> (Vec<Row>, Vec<Row>) {
    let (mut single, mut whole) = (Vec::new(), Vec::new());
    for (group, Measured { series, ideals, counters }) in groups.iter().zip(measured) {
        for (at, variant) in variants.iter().enumerate() {
            let (times, ideals) = (&series.variants[at], &ideals[at]);
            let counters = counters.as_ref().map(|counters| counters[at].clone());
            match &group.case {
                Some(case) => {
                    let baseline = &series.baseline.total;
                    whole.push(Row::new(case, variant, baseline, &times.total, ideals.total, counters));
                }
                // Of a block in the middle of a stream there is no time of its own.
                None if variant.mode == Mode::Stream => {}
                None => {
                    let blocks = group.names.iter().zip(series.baseline.blocks.iter().zip(&times.blocks));
                    single.extend(blocks.zip(&ideals.blocks).map(|((name, (baseline, times)), ideal)| {
                        Row::new(name, variant, baseline, times, *ideal, None)
                    }));
                }
            }
        }
    }
    for (at, variant) in variants.iter().enumerate() {
        let baseline = sum(measured.iter().map(|measured| &measured.series.baseline.total));
        let times = sum(measured.iter().map(|measured| &measured.series.variants[at].total));
        let ideal = measured.iter().map(|measured| measured.ideals[at].total).sum();
        // Recorded blocks were counted together.
        let counters = match measured {
            [Measured { counters: Some(counters), .. }] if groups[0].case.is_none() => {
                Some(counters[at].clone())
            }
            _ => None,
        };
        whole.push(Row::new(TOTAL, variant, &baseline, &times, ideal, counters));
    }
    (single, whole)
}

/// Prints all rows.
pub(super) fn report(
    settings: &Settings,
    groups: &[Group],
    variants: &[Variant],
    measured: &[Measured],
) -> Result<(), Failure> {
    let (single, whole) = rows(groups, variants, measured);
    let rows = [&single[..], &whole[..]].concat();
    results(|out| {
        if settings.json {
            return lines(out, &rows);
        }
        table(out, &rows)?;
        worst(out, &single)?;
        counters(out, &whole)
    })
}

/// Writes each row as a line of JSON.
pub(super) fn lines<T: Serialize>(out: &mut dyn Write, rows: &[T]) -> io::Result<()> {
    for row in rows {
        serde_json::to_writer(&mut *out, row)?;
        writeln!(out)?;
    }
    Ok(())
}

fn width(rows: &[Row]) -> usize {
    rows.iter().map(|row| row.case.len()).max().unwrap_or_default().max(4)
}

fn table(out: &mut dyn Write, rows: &[Row]) -> io::Result<()> {
    let width = width(rows);
    writeln!(
        out,
        "{:width$}  threads  mode    {:>11}  {:>11}  {:>23}  {:>8}  {:>7}  {:>10}",
        "case", "revm ms", "tandem ms", "half of samples", "speed-up", "ideal", "efficiency"
    )?;
    for row in rows {
        let (low, high) = row.quartiles_ms;
        writeln!(
            out,
            "{:width$}  {:>7}  {:6}  {:>11.3}  {:>11.3}  {:>10.3} - {:>10.3}  {:>7.2}x  {:>6.2}x  {:>10.2}",
            row.case,
            row.threads,
            row.mode,
            row.baseline_ms,
            row.ms,
            low,
            high,
            row.speedup,
            row.ideal,
            row.efficiency
        )?;
    }
    Ok(())
}

/// The rows that have counters, if any.
fn counters(out: &mut dyn Write, rows: &[Row]) -> io::Result<()> {
    if rows.iter().all(|row| row.counters.is_none()) {
        return Ok(());
    }
    let width = width(rows);
    Counters::head(out, width)?;
    for row in rows {
        if let Some(counters) = &row.counters {
            write!(out, "{:width$}  {:>7}  {:6}  ", row.case, row.threads, row.mode)?;
            counters.row(out)?;
        }
    }
    Ok(())
}
