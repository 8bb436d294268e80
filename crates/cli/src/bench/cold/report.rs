use super::cost::Cost;
use super::engine::Engine;
use super::part::{Measured, Part};
use super::row::{BlockRow, Summary};
use super::series::Series;
use crate::bench::row::TOTAL;
use crate::shared::failure::Failure;
use crate::shared::output::{lines, results};
use std::io::{self, Write};

/// Of shorter blocks, calls cost more than executing: in milliseconds.
const LONG_MS: f64 = 0.2;
/// Blocks with next to nothing in them, in milliseconds.
const SHORT_MS: std::ops::RangeInclusive<f64> = 0.01..=0.05;

/// Prints what everything took.
pub(super) fn report(engines: &[Engine], all: &[Series], json: bool) -> Result<(), Failure> {
    let (mut blocks, mut summaries, mut total) = (Vec::new(), Vec::new(), vec![Vec::new(); engines.len()]);
    for series in all {
        let by_engine: Vec<_> = (0..engines.len()).map(|engine| measured(series, engine)).collect();
        for ((engine, measured), total) in engines.iter().zip(by_engine).zip(&mut total) {
            blocks.extend(measured.iter().map(|measured| BlockRow {
                case: measured.block,
                threads: engine.threads,
                mode: engine.mode(),
                figures: measured.figures(),
            }));
            if let Some(case) = &series.case {
                summaries.extend(summary(case, engine, &measured));
            }
            total.extend(measured);
        }
    }
    let total = engines.iter().zip(&total);
    summaries.extend(total.filter_map(|(engine, measured)| summary(TOTAL, engine, measured)));
    results(|out| {
        if json {
            lines(out, &blocks)?;
            return lines(out, &summaries);
        }
        tables(out, &summaries, engines.len())
    })
}

/// The blocks of a series on an engine.
fn measured(series: &Series, engine: usize) -> Vec<Measured<'_>> {
    let cost = |engine, block| Cost::median(series.of(engine, block));
    let blocks = series.expected.iter().enumerate();
    blocks
        .map(|(index, block)| Measured {
            block: &block.name,
            // The plain loop is the first engine.
            baseline: cost(0, index),
            cost: cost(engine, index),
        })
        .collect()
}

fn summary<'a>(case: &'a str, engine: &Engine, measured: &[Measured<'a>]) -> Option<Summary<'a>> {
    Some(Summary {
        case,
        threads: engine.threads,
        mode: engine.mode(),
        all: Part::new(measured, |_| true)?,
        long: Part::new(measured, |ms| ms >= LONG_MS),
        short: Part::new(measured, |ms| SHORT_MS.contains(&ms)),
    })
}

/// The tables of each case: of all its blocks, and of its long and short ones if these are others.
fn tables(out: &mut dyn Write, summaries: &[Summary<'_>], engines: usize) -> io::Result<()> {
    for (index, rows) in summaries.chunks(engines).enumerate() {
        if index > 0 {
            writeln!(out)?;
        }
        let Some(Summary { case, all: Part { blocks, .. }, .. }) = rows.first() else { continue };
        let count = if *blocks == 1 { "one block".to_owned() } else { format!("{blocks} blocks") };
        table(out, &format!("{case}, {count}"), rows, |row| Some(&row.all))?;
        let others = |part: &&Part<'_>| part.blocks < *blocks;
        let long = format!("of {LONG_MS} ms and more");
        table(out, &format!("\n{case}, blocks {long}"), rows, |row| row.long.as_ref().filter(others))?;
        let short = format!("of {} to {} us", SHORT_MS.start() * 1e3, SHORT_MS.end() * 1e3);
        table(out, &format!("\n{case}, blocks {short}"), rows, |row| row.short.as_ref().filter(others))?;
    }
    Ok(())
}

/// The table of one part of each row, if there is one.
fn table<'a>(
    out: &mut dyn Write,
    title: &str,
    rows: &'a [Summary<'a>],
    part: impl Fn(&'a Summary<'a>) -> Option<&'a Part<'a>>,
) -> io::Result<()> {
    let parts: Vec<_> = rows.iter().filter_map(|row| Some((row, part(row)?))).collect();
    if parts.is_empty() {
        return Ok(());
    }
    let width = parts.iter().map(|(_, part)| part.worst.block.len()).max().unwrap_or_default().max(11);
    writeln!(out, "{title}")?;
    writeln!(
        out,
        "threads  mode   {:>11}  {:>8}  {:>11}  {:>7}  {:width$}  {:>9}  {:>9}  {:>8}",
        "ms", "speed-up", "cpu ms", "by revm", "worst block", "revm ms", "ms", "speed-up"
    )?;
    for (row, part) in parts {
        let (figures, worst) = (part.figures, &part.worst);
        let or_dash = |number: Option<f64>, text: fn(f64) -> String| number.map_or("-".to_owned(), text);
        writeln!(
            out,
            "{:>7}  {:5}  {:>11.3}  {:>7.2}x  {:>11}  {:>7}  {:width$}  {:>9.3}  {:>9.3}  {:>7.2}x",
            row.threads,
            row.mode,
            figures.ms,
            figures.speedup,
            or_dash(figures.cpu_ms, |ms| format!("{ms:.3}")),
            or_dash(figures.cpu_ratio, |ratio| format!("{ratio:.2}x")),
            worst.block,
            worst.figures.baseline_ms,
            worst.figures.ms,
            worst.figures.speedup
        )?;
    }
    Ok(())
}
