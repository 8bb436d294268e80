//! `tandem bench`: the engine against a plain revm loop, and beside it alloy-evm's executor, in interleaved samples.

mod alloy;
mod args;
mod compare;
mod counters;
mod group;
mod ideal;
mod long;
mod report;
mod row;
mod sample;
mod settings;
mod worst;

pub(crate) use args::BenchArgs;

use crate::shared::failure::Failure;
use crate::shared::progress::progress;
use crate::shared::slow_store::sleep_precisely;
use args::Case;
use counters::Counters;
use group::Group;
use ideal::Ideals;
use report::Measured;
use sample::{Series, Variant};
use settings::Settings;

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
