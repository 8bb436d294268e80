use super::{BenchArgs, Kind, Pools, median};
use crate::failure::Failure;
use crate::run::progress;
use serde_json::json;
use std::sync::Arc;
use std::time::Instant;
use tandem_fevm::workload::{Chance, Fixed, Workload};
use tandem_fevm::{Config, Conflict, Engines, Executor, Stats, reference};

/// One workload's times, in milliseconds for a tipset, and counts.
struct Row {
    workload: Workload,
    messages: usize,
    difference: Option<String>,
    stats: Stats,
    reference: Vec<f64>,
    ours: Vec<f64>,
}

pub(super) fn bench(args: &BenchArgs) -> Result<(), Failure> {
    if args.messages == 0 || args.threads == 0 || args.tipsets == 0 {
        return Err(Failure::input("--messages, --threads and --tipsets must be at least 1"));
    }
    let mut workloads: Vec<Workload> = args.workloads.iter().map(|Kind(workload)| *workload).collect();
    if workloads.is_empty() {
        workloads = Workload::ALL.to_vec();
    }
    let bar = progress(workloads.len() * (args.tipsets + 1), "executing", args.json);
    if !args.json {
        bar.suspend(|| println!("{HEAD}"));
    }
    let mut identical = true;
    for workload in workloads {
        let row = measure(args, workload, || bar.inc(1));
        let row = row.map_err(|error| Failure::Fault(format!("{}: {error:#}", workload.name())))?;
        identical &= row.difference.is_none();
        bar.suspend(|| report(args, &row));
    }
    bar.finish_and_clear();
    match identical {
        true => Ok(()),
        false => Err(Failure::Check),
    }
}

fn measure(args: &BenchArgs, workload: Workload, done: impl Fn()) -> anyhow::Result<Row> {
    let mut world = workload.world()?;
    let network = world.context.network.clone();
    let config = Config::new(args.threads).contracts([world.evm]);
    let engines = match args.engines {
        Pools::Own => Engines::new(&network, args.threads)?,
        Pools::Shared => Engines::shared(&network, args.threads)?,
    };
    let executor = Executor::new(&engines, config)?;
    let plain = Engines::new(&network, 1)?;
    let theirs = Arc::new(world.store.copy());
    let mut chance = Chance::new(1);
    let mut row = Row {
        workload,
        messages: 0,
        difference: None,
        stats: Stats::default(),
        reference: Vec::new(),
        ours: Vec::new(),
    };
    // The first tipset compiles the actors; it is compared, and not timed.
    for tipset in 0..=args.tipsets {
        let steps = workload.tipset(&mut world, args.messages, &mut chance);
        let expect = || {
            let start = Instant::now();
            let store = Arc::clone(&theirs);
            let result = reference::execute(plain.pool(), &world.context, store, Fixed, &steps)?;
            anyhow::Ok((result, start.elapsed().as_secs_f64() * 1e3))
        };
        let execute = || {
            let start = Instant::now();
            let result = executor.execute(&world.context, &world.store, &Fixed, &steps)?;
            anyhow::Ok((result, start.elapsed().as_secs_f64() * 1e3))
        };
        // Whoever is second finds the caches as the other left them: they take turns.
        let ((expected, reference), (result, ours)) = match tipset % 2 {
            0 => (expect()?, execute()?),
            _ => {
                let ours = execute()?;
                (expect()?, ours)
            }
        };
        row.difference = row.difference.or_else(|| result.compare(&expected).err());
        if tipset > 0 {
            row.messages += steps.len();
            row.reference.push(reference);
            row.ours.push(ours);
            row.stats.add(&result.stats);
        }
        done();
        world.advance(expected.root);
    }
    Ok(row)
}

const HEAD: &str =
    "workload   messages reference ms        ms speedup    kept  merged reexecuted at turn identical";

fn report(args: &BenchArgs, row: &Row) {
    let (reference, ours) = (median(row.reference.clone()), median(row.ours.clone()));
    let speedup = reference / ours;
    let identical = row.difference.is_none();
    let stats = &row.stats;
    let name = row.workload.name();
    if args.json {
        let causes: serde_json::Map<String, serde_json::Value> = Conflict::ALL
            .iter()
            .map(|cause| (cause.name().to_owned(), json!(stats.conflicts[*cause as usize])))
            .collect();
        println!(
            "{}",
            json!({
                "workload": name,
                "kept": stats.kept,
                "atTurn": stats.at_turn,
                "conflicts": causes,
                "referenceSamplesMs": row.reference,
                "samplesMs": row.ours,
            })
        );
        println!(
            "{}",
            json!({ "summary": {
                "workload": name,
                "messages": row.messages,
                "threads": args.threads,
                "identical": identical,
                "merged": stats.merged,
                "reexecuted": stats.reexecuted(),
                "referenceMs": reference,
                "ms": ours,
                "speedup": speedup,
            } })
        );
    } else {
        println!(
            "{name:<10} {:>8} {reference:>12.1} {ours:>9.1} {speedup:>7.2} {:>7} {:>7} {:>10} {:>7} {:>9}",
            row.messages,
            stats.kept,
            stats.merged,
            stats.reexecuted(),
            stats.at_turn,
            if identical { "yes" } else { "NO" }
        );
    }
    if let Some(difference) = &row.difference {
        eprintln!("error: {name}: not what the reference gives: {difference}");
    }
}
