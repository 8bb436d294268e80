//! `tandem bench --cold`: each block is a call of its own on cold caches, as in a node that follows a chain.
//!
//! In a round, every engine executes every block once. Engines take turns block by block, and caches are evicted before each call.

mod analysed_store;
mod caches;
mod clock;
mod cost;
mod engine;
mod part;
mod report;
mod row;
mod series;

use super::block_set::BlockSet;
use super::settings::Settings;
use crate::shared::failure::Failure;
use crate::shared::progress::progress;
use caches::Caches;
use engine::Engine;
use series::Series;
use tandem_workload::SplitMix64;

pub(super) fn cold(settings: &Settings) -> Result<(), Failure> {
    let mut engines = Engine::all(&settings.threads)?;
    let sets = BlockSet::all(settings)?.into_iter();
    let mut all = sets.map(|set| Series::new(set, engines.len())).collect::<Result<Vec<_>, _>>()?;
    let blocks: usize = all.iter().map(Series::blocks).sum();
    let mut caches = Caches::new(settings.evict);
    let bar = progress((settings.samples + 1) * blocks, "sampling", settings.json);
    // In the round before the first sample, engines analyse codes and get their memory.
    for round in 0..=settings.samples {
        let mut rng = SplitMix64::new(round as u64);
        for series in &mut all {
            series.round(&mut engines, &mut caches, &mut rng, round > 0, &bar)?;
        }
    }
    bar.finish_and_clear();
    report::report(&engines, &all, settings.json)
}
