use super::block_set::BlockSet;
use super::counters::Counters;
use super::ideal::Ideals;
use super::row::{Row, Samples, TOTAL};
use super::sample::{Series, Variant};
use super::settings::Settings;
use super::stages::Stages;
use super::worst::worst;
use crate::shared::failure::Failure;
use crate::shared::mode::Mode;
use crate::shared::output::{lines, results};
use std::io::{self, Write};
use std::time::Duration;

/// Adds up several series, sample by sample.
fn sum<'a>(series: impl Iterator<Item = &'a Vec<Duration>>) -> Vec<Duration> {
    series.fold(Vec::new(), |mut sum, times| {
        sum.resize(times.len(), Duration::ZERO);
        sum.iter_mut().zip(times).for_each(|(sum, time)| *sum += *time);
        sum
    })
}

/// All that was measured of a block set.
pub(super) struct Measured {
    pub(super) series: Series,
    /// By variant.
    pub(super) ideals: Vec<Ideals>,
    /// By variant, if asked for.
    pub(super) counters: Vec<Counters>,
    /// By variant, if asked for.
    pub(super) stages: Vec<Stages>,
}

/// The rows of single blocks, of which one stream has none, and those of whole block sets with the total.
fn rows(sets: &[BlockSet], variants: &[Variant], measured: &[Measured]) -> (Vec<Row>, Vec<Row>) {
    let (mut single, mut whole) = (Vec::new(), Vec::new());
    for (set, Measured { series, ideals, counters, stages }) in sets.iter().zip(measured) {
        for (at, variant) in variants.iter().enumerate() {
            let (times, ideals) = (&series.variants[at], &ideals[at]);
            let (counters, stages) = (counters.get(at).cloned(), stages.get(at).cloned());
            match &set.case {
                Some(case) => {
                    let (baseline, alloy) = (&series.baseline.total, &series.alloy_times.total);
                    let samples = Samples { baseline, alloy, times: &times.total };
                    whole.push(Row::new(case, variant, samples, ideals.total).with(counters, stages));
                }
                // Of a block in the middle of a stream there is no time of its own.
                None if variant.mode == Mode::Stream => {}
                None => {
                    let (baseline, alloy) = (&series.baseline.blocks, &series.alloy_times.blocks);
                    single.extend(set.names.iter().enumerate().map(|(block, name)| {
                        let (baseline, alloy) = (&baseline[block], &alloy[block]);
                        let samples = Samples { baseline, alloy, times: &times.blocks[block] };
                        Row::new(name, variant, samples, ideals.blocks[block])
                    }));
                }
            }
        }
    }
    for (at, variant) in variants.iter().enumerate() {
        let baseline = sum(measured.iter().map(|measured| &measured.series.baseline.total));
        let alloy = sum(measured.iter().map(|measured| &measured.series.alloy_times.total));
        let times = sum(measured.iter().map(|measured| &measured.series.variants[at].total));
        let ideal = measured.iter().map(|measured| measured.ideals[at].total).sum();
        // Recorded blocks were counted together.
        let (counters, stages) = match measured {
            [Measured { counters, stages, .. }] if sets[0].case.is_none() => {
                (counters.get(at).cloned(), stages.get(at).cloned())
            }
            _ => (None, None),
        };
        let samples = Samples { baseline: &baseline, alloy: &alloy, times: &times };
        whole.push(Row::new(TOTAL, variant, samples, ideal).with(counters, stages));
    }
    (single, whole)
}

/// Prints all rows.
pub(super) fn report(
    settings: &Settings,
    sets: &[BlockSet],
    variants: &[Variant],
    measured: &[Measured],
) -> Result<(), Failure> {
    let (single, whole) = rows(sets, variants, measured);
    let rows = [&single[..], &whole[..]].concat();
    results(|out| {
        if settings.json {
            return lines(out, &rows);
        }
        table(out, &rows)?;
        worst(out, &single)?;
        beside(out, &whole, |row| row.counters.as_ref(), Counters::head, Counters::row)?;
        beside(out, &whole, |row| row.stages.as_ref(), Stages::head, Stages::row)
    })
}

fn width(rows: &[Row]) -> usize {
    rows.iter().map(|row| row.case.len()).max().unwrap_or_default().max(4)
}

fn table(out: &mut dyn Write, rows: &[Row]) -> io::Result<()> {
    let width = width(rows);
    writeln!(
        out,
        "{:width$}  threads  mode    {:>11}  {:>11}  {:>7}  {:>11}  {:>23}  {:>8}  {:>7}  {:>10}",
        "case",
        "revm ms",
        "alloy ms",
        "by revm",
        "tandem ms",
        "half of samples",
        "speed-up",
        "ideal",
        "efficiency"
    )?;
    for row in rows {
        let (low, high) = row.quartiles_ms;
        writeln!(
            out,
            "{:width$}  {:>7}  {:6}  {:>11.3}  {:>11.3}  {:>6.2}x  {:>11.3}  {:>10.3} - {:>10.3}  {:>7.2}x  {:>6.2}x  {:>10.2}",
            row.case,
            row.threads,
            row.mode,
            row.baseline_ms,
            row.alloy_ms,
            row.alloy_ratio,
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

/// A table of what some rows have beside times, if any do.
fn beside<T>(
    out: &mut dyn Write,
    rows: &[Row],
    of: impl Fn(&Row) -> Option<&T>,
    head: impl Fn(&mut dyn Write, usize) -> io::Result<()>,
    print: impl Fn(&T, &mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    if rows.iter().all(|row| of(row).is_none()) {
        return Ok(());
    }
    let width = width(rows);
    head(out, width)?;
    for row in rows {
        if let Some(found) = of(row) {
            write!(out, "{:width$}  {:>7}  {:6}  ", row.case, row.threads, row.mode)?;
            print(found, out)?;
        }
    }
    Ok(())
}
