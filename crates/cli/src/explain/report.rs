use super::findings::{Curve, Findings, HotspotRow, THREADS};
use super::settings::Settings;
use crate::shared::failure::Failure;
use crate::shared::output::results;
use serde::Serialize;
use std::io::{self, Write};

/// Links of a chain that are printed.
const LINKS: usize = 16;

/// Prints the findings.
pub(super) fn report(settings: &Settings, findings: &Findings) -> Result<(), Failure> {
    results(|out| if settings.json { json(out, findings) } else { text(out, settings, findings) })
}

fn json(out: &mut dyn Write, findings: &Findings) -> io::Result<()> {
    let mut line = |name: &str, value: serde_json::Result<serde_json::Value>| {
        let line = serde_json::json!({ name: value.map_err(io::Error::other)? });
        writeln!(out, "{line}")
    };
    for curve in &findings.block_by_block {
        line("blockByBlock", serde_json::to_value(curve))?;
    }
    for curve in &findings.stream {
        line("stream", serde_json::to_value(curve))?;
    }
    for location in &findings.locations {
        line("location", serde_json::to_value(location))?;
    }
    for contract in &findings.contracts {
        line("contract", serde_json::to_value(contract))?;
    }
    for together in &findings.together {
        line("together", serde_json::to_value(together))?;
    }
    line("chain", serde_json::to_value(&findings.chain))?;
    line("run", serde_json::to_value(&findings.run))?;
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Summary {
        blocks: usize,
        txs: usize,
        sequential_ms: f64,
        dependent: usize,
        keep_path: usize,
        threads: [usize; THREADS.len()],
    }
    let Findings { blocks, transactions: txs, sequential_ms, dependent, keep_path, .. } = *findings;
    let summary = Summary { blocks, txs, sequential_ms, dependent, keep_path, threads: THREADS };
    line("summary", serde_json::to_value(summary))
}

fn text(out: &mut dyn Write, settings: &Settings, findings: &Findings) -> io::Result<()> {
    let Findings { blocks, transactions, sequential_ms, dependent, keep_path, .. } = findings;
    writeln!(
        out,
        "{blocks} blocks, {transactions} transactions, {sequential_ms:.3} ms one by one (least of {} runs)",
        settings.repeat
    )?;
    writeln!(
        out,
        "{dependent} transactions rely on something that an earlier one of their block changed; {keep_path} of these \
         take the same path without that change"
    )?;
    curves(out, "Ideal speed-up, block by block", &findings.block_by_block)?;
    let stream = format!("Ideal speed-up, as one stream, {} steps of look-ahead", settings.look_ahead);
    curves(out, &stream, &findings.stream)?;
    let cost = format!("by what they cost on {} ideal threads, block by block", settings.ideal);
    hotspots(out, &format!("Hottest locations, {cost}"), &findings.locations)?;
    hotspots(out, &format!("Hottest contracts, each with all its locations, {cost}"), &findings.contracts)?;
    together(out, settings, findings)?;
    chain(out, findings)?;
    run(out, settings, findings)
}

fn curves(out: &mut dyn Write, title: &str, curves: &[Curve]) -> io::Result<()> {
    write!(out, "\n{title}\n{:<34}", "threads")?;
    for threads in THREADS {
        write!(out, "{threads:>7}")?;
    }
    writeln!(out, "{:>11}", "unlimited")?;
    for curve in curves {
        write!(out, "{:<34}", curve.model)?;
        for speed_up in &curve.speed_up {
            write!(out, "{speed_up:>7.2}")?;
        }
        writeln!(out, "{:>11.2}", curve.unlimited)?;
    }
    Ok(())
}

fn hotspots(out: &mut dyn Write, title: &str, hotspots: &[HotspotRow]) -> io::Result<()> {
    writeln!(out, "\n{title}")?;
    writeln!(out, "conflicts  blocks  saved ms  where")?;
    for HotspotRow { name, conflicts, blocks, gain, saved_ms } in hotspots {
        writeln!(out, "{conflicts:>9}{blocks:>8}{saved_ms:>10.3}  {name}")?;
        let blocks = if *blocks == 1 { "its block".to_owned() } else { format!("its {blocks} blocks") };
        writeln!(out, "{:>29}if this did not conflict, {blocks} would run {gain:.2} times as fast", "")?;
    }
    Ok(())
}

fn together(out: &mut dyn Write, settings: &Settings, findings: &Findings) -> io::Result<()> {
    writeln!(
        out,
        "\nSeveral contracts at once: if this one and those above did not conflict, all blocks, one at a time, {} ideal threads",
        settings.ideal
    )?;
    writeln!(out, "times as fast  speed-up  where")?;
    for together in &findings.together {
        writeln!(out, "{:>13.2}{:>10.2}  {}", together.gain, together.speed_up, together.name)?;
    }
    Ok(())
}

fn chain(out: &mut dyn Write, findings: &Findings) -> io::Result<()> {
    let chain = &findings.chain;
    let percent = 100.0 * chain.ms / chain.block_ms.max(1e-9);
    writeln!(
        out,
        "\nLongest chain: {} steps of {}, {:.3} of the block's {:.3} ms ({percent:.0}%)",
        chain.links.len(),
        chain.block,
        chain.ms,
        chain.block_ms
    )?;
    for link in chain.links.iter().take(LINKS) {
        let hash = link.hash.as_deref().unwrap_or_default();
        writeln!(out, "{:>9.3} ms  {} {hash}", link.ms, link.step)?;
        if let Some(by) = &link.by {
            writeln!(out, "{:>14}needs the one before for: {by}", "")?;
        }
    }
    if let Some(more) = chain.links.len().checked_sub(LINKS).filter(|more| *more > 0) {
        writeln!(out, "{:>14}and {more} more (all of them with --json)", "")?;
    }
    Ok(())
}

fn run(out: &mut dyn Write, settings: &Settings, findings: &Findings) -> io::Result<()> {
    let run = &findings.run;
    writeln!(
        out,
        "\nActual run as one stream with {} threads: {:.3} ms, {:.2} times as fast as one by one; {} conflicts, {} \
         repairs, {} executions again, {} waits",
        settings.threads, run.ms, run.speed_up, run.conflicts, run.repairs, run.reexecutions, run.waits
    )?;
    writeln!(out, "worker  ahead  at turn  again  conflicts  repairs  busy  waited ms")?;
    for (index, worker) in run.workers.iter().enumerate() {
        writeln!(
            out,
            "{index:>6}{:>7}{:>9}{:>7}{:>11}{:>9}{:>5.0}%{:>11.3}",
            worker.speculative,
            worker.frontier,
            worker.again,
            worker.conflicts,
            worker.repairs,
            worker.busy * 100.0,
            worker.waited_ms
        )?;
    }
    writeln!(out, "timeline: s ahead of its turn, f at its turn, r again, w waiting, . none of these")?;
    for (index, worker) in run.workers.iter().enumerate() {
        writeln!(out, "{index:>6} {}", worker.timeline)?;
    }
    Ok(())
}
