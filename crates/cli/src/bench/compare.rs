use crate::shared::failure::Failure;
use crate::shared::output::{lines, results};
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::{Path, PathBuf};

/// The compared part of a row, which may have been saved by an older version.
#[derive(Debug, Deserialize)]
struct Row {
    case: String,
    threads: usize,
    mode: String,
    ms: f64,
    speedup: f64,
    efficiency: Option<f64>,
}

/// How one row changed from one result to the other.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Comparison<'a> {
    case: &'a str,
    threads: usize,
    mode: &'a str,
    before_ms: f64,
    after_ms: f64,
    /// Speed-up over the plain loop of the same run: it is comparable if the machine's speed changed.
    before_speedup: f64,
    after_speedup: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    before_efficiency: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    after_efficiency: Option<f64>,
    /// Speed-up after by speed-up before.
    ratio: f64,
}

/// Prints how the rows that both files have differ.
pub(super) fn compare(files: &[PathBuf], json: bool) -> Result<(), Failure> {
    let [before, after] = files else { return Err(Failure::input("--compare takes two files")) };
    let (before, after) = (read(before)?, read(after)?);
    let rows: Vec<_> = before.iter().filter_map(|row| compared(row, &after)).collect();
    if rows.is_empty() {
        return Err(Failure::input("the two results have no row in common"));
    }
    results(|out| {
        if json {
            return lines(out, &rows);
        }
        let width = rows.iter().map(|row| row.case.len()).max().unwrap_or_default().max(4);
        writeln!(
            out,
            "{:width$}  threads  mode    {:>11}  {:>11}  {:>15}  {:>14}  {:>6}",
            "case", "before ms", "after ms", "speed-up before", "speed-up after", "ratio"
        )?;
        for row in &rows {
            writeln!(
                out,
                "{:width$}  {:>7}  {:6}  {:>11.3}  {:>11.3}  {:>14.2}x  {:>13.2}x  {:>6.3}",
                row.case,
                row.threads,
                row.mode,
                row.before_ms,
                row.after_ms,
                row.before_speedup,
                row.after_speedup,
                row.ratio
            )?;
        }
        Ok(())
    })
}

fn compared<'a>(before: &'a Row, after: &[Row]) -> Option<Comparison<'a>> {
    let same =
        |row: &&Row| (&row.case, row.threads, &row.mode) == (&before.case, before.threads, &before.mode);
    let after = after.iter().find(same)?;
    Some(Comparison {
        case: &before.case,
        threads: before.threads,
        mode: &before.mode,
        before_ms: before.ms,
        after_ms: after.ms,
        before_speedup: before.speedup,
        after_speedup: after.speedup,
        before_efficiency: before.efficiency,
        after_efficiency: after.efficiency,
        ratio: after.speedup / before.speedup,
    })
}

fn read(path: &Path) -> Result<Vec<Row>, Failure> {
    let named = |error: String| Failure::Input(format!("{}: {error}", path.display()));
    let text = fs::read_to_string(path).map_err(|error| named(error.to_string()))?;
    text.lines()
        .enumerate()
        .map(|(at, line)| {
            serde_json::from_str(line).map_err(|error| {
                named(format!("line {}: not a row of `tandem bench --json`: {error}", at + 1))
            })
        })
        .collect()
}
