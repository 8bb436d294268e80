//! Which blocks come off worst.

use super::row::Row;
use std::io::{self, Write};

/// Blocks that are named of each kind.
const SHOWN: usize = 5;
/// Of shorter blocks, how well they use their threads says more of starting and ending than of executing.
const LONG_MS: f64 = 2.0;

/// Writes, for each way to execute, which blocks gain least and which stay farthest below their ideal.
pub(super) fn worst(out: &mut dyn Write, blocks: &[Row]) -> io::Result<()> {
    let mut ways: Vec<_> = blocks.iter().map(|row| (row.threads, row.mode.as_str())).collect();
    ways.dedup();
    for (threads, mode) in ways {
        let rows: Vec<_> = blocks.iter().filter(|row| (row.threads, &*row.mode) == (threads, mode)).collect();
        let of = format!("{threads} {}, {mode}", if threads == 1 { "thread" } else { "threads" });
        list(out, &format!("{of}: least speed-up of {} blocks", rows.len()), &rows, |row| row.speedup)?;
        let long: Vec<_> = rows.into_iter().filter(|row| row.baseline_ms >= LONG_MS).collect();
        if threads > 1 && !long.is_empty() {
            let what = format!("{of}: least efficiency of {} blocks over {LONG_MS} ms", long.len());
            list(out, &what, &long, |row| row.efficiency)?;
        }
    }
    Ok(())
}

fn list(out: &mut dyn Write, what: &str, rows: &[&Row], by: impl Fn(&Row) -> f64) -> io::Result<()> {
    let mut rows = rows.to_vec();
    rows.sort_by(|a, b| by(a).total_cmp(&by(b)));
    rows.truncate(SHOWN);
    let width = rows.iter().map(|row| row.case.len()).max().unwrap_or_default().max(4);
    writeln!(out, "\n{what}")?;
    for row in rows {
        writeln!(
            out,
            "  {:width$}  {:>9.3} ms  {:>6.3}x of the loop's time  speed-up {:>5.2}x  ideal {:>5.2}x, in order {:>5.2}x  efficiency {:>5.2}",
            row.case,
            row.baseline_ms,
            row.ms / row.baseline_ms,
            row.speedup,
            row.ideal,
            row.in_order,
            row.efficiency
        )?;
    }
    Ok(())
}
