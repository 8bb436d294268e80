//! `tandem bench`: the engine against a plain revm loop, in interleaved samples.

mod args;
mod compare;
mod counters;
mod group;
mod ideal;
mod long;
mod report;
mod sample;
mod worst;

pub(crate) use args::BenchArgs;

use crate::failure::Failure;
use crate::run::progress;
use crate::slow::sleep_precisely;
use args::Case;
use counters::Counters;
use group::Group;
use ideal::Ideals;
use report::Measured;
use sample::{Series, Variant};
use std::path::PathBuf;
use std::time::Duration;
use tandem_workload::{ChainConfig, Workload};

/// What runs if nothing is asked for: the shapes of load that engines differ most on.
const DEFAULT_CASES: [(Workload, Option<f64>); 9] = [
    (Workload::Transfers, None),
    (Workload::Token, None),
    (Workload::Swaps, Some(0.0)),
    (Workload::IndependentSwaps, None),
    (Workload::OneHot, None),
    (Workload::Payroll, None),
    (Workload::Nft, None),
    (Workload::Mixed, None),
    (Workload::Mixed, Some(0.5)),
];

/// What the arguments mean.
#[derive(Debug)]
pub(crate) struct Settings {
    paths: Vec<PathBuf>,
    from: u64,
    cases: Vec<Case>,
    chain: ChainConfig,
    threads: Vec<usize>,
    samples: usize,
    latency: Duration,
    counters: bool,
    json: bool,
}

impl Settings {
    fn new(args: BenchArgs) -> Result<Self, Failure> {
        if args.samples == 0 {
            return Err(Failure::input("--samples must be at least 1"));
        }
        let mut threads = args.threads;
        if threads.contains(&0) {
            return Err(Failure::input("--threads must be at least 1"));
        }
        if threads.is_empty() {
            threads = vec![1, std::thread::available_parallelism().map_or(1, |n| n.get())];
        }
        threads.sort_unstable();
        threads.dedup();
        let mut cases = args.workloads;
        if args.paths.is_empty() && cases.is_empty() {
            cases = DEFAULT_CASES.map(|(workload, hot)| Case { workload, hot }).to_vec();
        }
        let chain = ChainConfig::default()
            .with_blocks(args.blocks)
            .with_transactions(args.txs)
            .with_accounts(args.accounts)
            .with_population(args.accounts)
            .with_slots(args.accounts);
        chain.validate().map_err(Failure::input)?;
        Ok(Self {
            paths: args.paths,
            from: args.from,
            cases,
            chain,
            threads,
            samples: args.samples,
            latency: Duration::from_micros(args.read_latency),
            counters: args.counters,
            json: args.json,
        })
    }
}

pub(crate) fn bench(args: BenchArgs) -> Result<(), Failure> {
    if let Some(files) = &args.compare {
        return compare::compare(files, args.json);
    }
    let long = args.long;
    let settings = Settings::new(args)?;
    if long {
        return long::long(&settings);
    }
    if !settings.latency.is_zero() {
        sleep_precisely();
    }
    let variants = settings
        .threads
        .iter()
        .map(|&threads| Variant::all(threads))
        .collect::<Result<Vec<_>, _>>()?
        .into_iter()
        .flatten()
        .collect::<Vec<_>>();
    let mut groups = groups(&settings)?;
    let bar = progress(groups.len(), "analysing", settings.json);
    let mut measured = Vec::with_capacity(groups.len());
    for group in &mut groups {
        let ideals = Ideals::measure(group, &variants, settings.latency)?;
        measured.push(Measured { series: Series::new(group, &variants), ideals, counters: None });
        bar.inc(1);
    }
    bar.finish_and_clear();
    let bar = progress(settings.samples * groups.len(), "sampling", settings.json);
    for sample in 0..settings.samples {
        for (group, measured) in groups.iter_mut().zip(&mut measured) {
            measured.series.sample(group, &variants, settings.latency, sample)?;
            bar.inc(1);
        }
    }
    bar.finish_and_clear();
    if settings.counters {
        for (group, measured) in groups.iter_mut().zip(&mut measured) {
            let baseline = measured.series.baseline.median();
            let count = |variant| Counters::measure(group, variant, settings.latency, baseline);
            measured.counters = Some(variants.iter().map(count).collect::<Result<_, _>>()?);
        }
    }
    report::report(&settings, &groups, &variants, &measured)
}

fn groups(settings: &Settings) -> Result<Vec<Group>, Failure> {
    if !settings.paths.is_empty() {
        return Ok(vec![Group::recorded(&settings.paths, settings.from, settings.json)?]);
    }
    let bar = progress(settings.cases.len(), "generating", settings.json);
    let generate = |case: &Case| {
        let group = Group::generated(case, &settings.chain);
        bar.inc(1);
        group
    };
    let groups = settings.cases.iter().map(generate).collect();
    bar.finish_and_clear();
    groups
}
