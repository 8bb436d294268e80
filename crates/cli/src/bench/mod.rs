//! `tandem bench`: the engine against a plain revm loop, and beside it alloy-evm's executor, in interleaved samples.

mod alloy;
mod args;
mod block_set;
mod cold;
mod compare;
mod counters;
mod ideal;
mod long;
mod report;
mod row;
mod sample;
mod settings;
mod stages;
mod worst;

pub(crate) use args::BenchArgs;

use crate::shared::failure::Failure;
use crate::shared::progress::progress;
use crate::shared::slow_store::sleep_precisely;
use block_set::BlockSet;
use counters::{Counters, Measurement};
use ideal::{Ideals, record};
use report::Measured;
use sample::{Series, Variant};
use settings::Settings;
use stages::Stages;

pub(crate) fn bench(args: BenchArgs) -> Result<(), Failure> {
    if let Some(files) = &args.compare {
        return compare::compare(files, args.json);
    }
    let (long, cold) = (args.long, args.cold);
    let settings = Settings::new(args)?;
    if long {
        return long::long(&settings);
    }
    if cold {
        return cold::cold(&settings);
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
    let mut sets = BlockSet::all(&settings)?;
    let bar = progress(sets.len(), "analysing", settings.json);
    let mut measured = Vec::with_capacity(sets.len());
    for set in &mut sets {
        let ideals = Ideals::measure(set, &variants, settings.latency)?;
        measured.push(Measured {
            series: Series::new(set, &variants),
            ideals,
            counters: vec![],
            stages: vec![],
        });
        bar.inc(1);
    }
    bar.finish_and_clear();
    let bar = progress(settings.samples * sets.len(), "sampling", settings.json);
    for sample in 0..settings.samples {
        for (set, measured) in sets.iter_mut().zip(&mut measured) {
            measured.series.sample(set, &variants, settings.latency, sample)?;
            bar.inc(1);
        }
    }
    bar.finish_and_clear();
    for (set, measured) in sets.iter_mut().zip(&mut measured) {
        look_closer(&settings, set, &variants, measured)?;
    }
    report::report(&settings, &sets, &variants, &measured)
}

/// Measures what is asked for beside times.
fn look_closer(
    settings: &Settings,
    set: &mut BlockSet,
    variants: &[Variant],
    measured: &mut Measured,
) -> Result<(), Failure> {
    if !settings.counters && !settings.stages {
        return Ok(());
    }
    let baseline = measured.series.baseline.median();
    let steps = if settings.stages { Some(record(set, settings.latency)?) } else { None };
    for variant in variants {
        let run = Measurement::median(set, variant, settings.latency)?;
        if settings.counters {
            measured.counters.push(Counters::new(&run, variant.threads, baseline));
        }
        measured.stages.extend(steps.as_ref().map(|steps| Stages::new(&run, steps, variant, baseline)));
    }
    Ok(())
}
