use super::args::{BenchArgs, Kind, Pools};
use super::median::median;
use super::workers::{START, Workers};
use crate::shared::failure::Failure;
use crate::shared::output::{complain, say};
use crate::shared::progress::progress;
use serde_json::json;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;
use tandem_fevm::workload::{Chance, Fixed, Workload, World, longest_chain};
use tandem_fevm::{Config, Conflict, Engines, Executor, MemoryStore, Stats, Step, reference};

/// One workload's times, in milliseconds for a tipset, and counts.
struct Row {
    workload: Workload,
    messages: usize,
    difference: Option<String>,
    stats: Stats,
    reference: Vec<f64>,
    ours: Vec<f64>,
    /// The best possible speed-up.
    ideal: f64,
}

pub(super) fn bench(args: &BenchArgs) -> Result<(), Failure> {
    if args.messages == 0 || args.tipsets == 0 {
        return Err(Failure::input("--messages and --tipsets must be at least 1"));
    }
    let workers = args.workers.divide(args.threads)?;
    let mut workloads: Vec<Workload> = args.workloads.iter().map(|Kind(workload)| *workload).collect();
    if workloads.is_empty() {
        workloads = Workload::ALL.to_vec();
    }
    let bar = progress(workloads.len() * (args.tipsets + 1), "executing", args.json);
    if !args.json {
        let (threads, processes) = workers;
        bar.suspend(|| say!("{threads} threads and {processes} worker processes\n{HEAD}"));
    }
    let mut identical = true;
    for workload in workloads {
        let row = measure(args, workers, workload, || bar.inc(1))?;
        identical &= row.difference.is_none();
        bar.suspend(|| report(args, workers, &row));
    }
    bar.finish_and_clear();
    match identical {
        true => Ok(()),
        false => Err(Failure::Check),
    }
}

fn measure(
    args: &BenchArgs,
    (threads, processes): (usize, usize),
    workload: Workload,
    done: impl Fn(),
) -> Result<Row, Failure> {
    let fault = |error: anyhow::Error| Failure::Fault(format!("{}: {error:#}", workload.name()));
    let world = workload.world().map_err(fault)?;
    let network = &world.context.network;
    let engines = match args.engines {
        Pools::Own => Engines::new(network, threads),
        Pools::Shared => Engines::shared(network, threads),
    };
    let config = Config::new(threads).contracts([world.evm]);
    let state = ["--workload".into(), workload.name().into()];
    let config = args.workers.configure(config, processes, state)?;
    let executor = Executor::new(&engines.map_err(fault)?, config);
    let executor = executor.map_err(|error| Failure::input(format!("{error:#}")))?;
    executor.prepare(&world.context, START);
    let row = sample(args, &executor, world, workload, done).map_err(fault)?;
    Workers::report_lost(&executor);
    Ok(row)
}

fn sample(
    args: &BenchArgs,
    executor: &Executor,
    mut world: World,
    workload: Workload,
    done: impl Fn(),
) -> anyhow::Result<Row> {
    let plain = Engines::new(&world.context.network, 1)?;
    let theirs = Arc::new(world.store.copy());
    let mut chance = Chance::new(1);
    let mut row = Row {
        workload,
        messages: 0,
        difference: None,
        stats: Stats::default(),
        reference: Vec::new(),
        ours: Vec::new(),
        ideal: f64::NAN,
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
        // The second one finds the caches as the first left them: they take turns.
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
        if tipset == args.tipsets {
            row.ideal = ideal(args.threads, &plain, &world, &theirs, &steps)?;
        }
        world.advance(expected.root);
    }
    Ok(row)
}

/// The whole of the reference's work over what it takes at least: an equal share for each thread, or the longest chain of messages
/// that must wait for each other.
fn ideal(
    threads: usize,
    engines: &Engines,
    world: &World,
    store: &Arc<MemoryStore>,
    steps: &[Step],
) -> anyhow::Result<f64> {
    let ends = Mutex::new(Vec::with_capacity(steps.len()));
    let done = || ends.lock().unwrap_or_else(PoisonError::into_inner).push(Instant::now());
    let store = Arc::clone(store);
    reference::execute_observed(engines.pool(), &world.context, store, Fixed, steps, &done)?;
    let ends = ends.into_inner().unwrap_or_else(PoisonError::into_inner);
    let mut times: Vec<f64> = ends.windows(2).map(|pair| (pair[1] - pair[0]).as_secs_f64()).collect();
    // When the first one began is not known.
    let mean = times.iter().sum::<f64>() / times.len().max(1) as f64;
    times.insert(0, mean);
    let total: f64 = times.iter().sum();
    let bound = longest_chain(steps, &times).max(total / threads as f64);
    Ok(if bound > 0.0 { total / bound } else { 1.0 })
}

const HEAD: &str = "workload   messages reference ms        ms speedup  ideal efficiency    kept  merged reexecuted at turn \
                    identical";

fn report(args: &BenchArgs, (threads, processes): (usize, usize), row: &Row) {
    let (reference, ours) = (median(row.reference.clone()), median(row.ours.clone()));
    let speedup = reference / ours;
    let efficiency = speedup / row.ideal;
    let identical = row.difference.is_none();
    let stats = &row.stats;
    let name = row.workload.name();
    if args.json {
        let causes: serde_json::Map<String, serde_json::Value> = Conflict::ALL
            .iter()
            .map(|cause| (cause.name().to_owned(), json!(stats.conflicts[*cause as usize])))
            .collect();
        say!(
            "{}",
            json!({
                "workload": name,
                "kept": stats.kept,
                "byProcesses": stats.by_processes,
                "atTurn": stats.at_turn,
                "conflicts": causes,
                "referenceSamplesMs": row.reference,
                "samplesMs": row.ours,
            })
        );
        say!(
            "{}",
            json!({ "summary": {
                "workload": name,
                "messages": row.messages,
                "threads": threads + processes,
                "processes": processes,
                "identical": identical,
                "merged": stats.merged,
                "reexecuted": stats.reexecuted(),
                "referenceMs": reference,
                "ms": ours,
                "speedup": speedup,
                "ideal": row.ideal,
                "efficiency": efficiency,
            } })
        );
    } else {
        say!(
            "{name:<10} {:>8} {reference:>12.1} {ours:>9.1} {speedup:>7.2} {:>6.2} {:>9.0}% {:>7} {:>7} {:>10} {:>7} {:>9}",
            row.messages,
            row.ideal,
            efficiency * 100.0,
            stats.kept,
            stats.merged,
            stats.reexecuted(),
            stats.at_turn,
            if identical { "yes" } else { "NO" }
        );
    }
    if let Some(difference) = &row.difference {
        complain!("error: {name}: not what the reference gives: {difference}");
    }
}
