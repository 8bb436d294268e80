use super::counters::Counters;
use super::ideal::Ideal;
use super::sample::Variant;
use super::stages::Stages;
use serde::Serialize;
use std::time::Duration;

/// The name of the row that takes all cases together.
pub(super) const TOTAL: &str = "total";

/// One case, executed in one way: medians of all samples.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Row {
    pub(super) case: String,
    pub(super) threads: usize,
    pub(super) mode: String,
    /// Time of the plain loop, in milliseconds.
    pub(super) baseline_ms: f64,
    /// Time of alloy-evm's executor, in milliseconds.
    pub(super) alloy_ms: f64,
    /// The same as a multiple of the plain loop's.
    pub(super) alloy_ratio: f64,
    /// Time of the engine, in milliseconds.
    pub(super) ms: f64,
    /// Half of all samples lie between these, in milliseconds.
    pub(super) quartiles_ms: (f64, f64),
    /// How many times faster than the plain loop the engine is.
    pub(super) speedup: f64,
    /// How many times faster it could be at best: by the threads there are and the longest chain of steps that need each
    /// other.
    pub(super) ideal: f64,
    /// The same for a schedule that takes steps in order, as soon as they can be executed.
    pub(super) in_order: f64,
    /// The speed-up, as a share of the ideal one.
    pub(super) efficiency: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) counters: Option<Counters>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) stages: Option<Stages>,
}

/// The times of one case, a sample each.
#[derive(Clone, Copy)]
pub(super) struct Samples<'a> {
    /// Of the plain loop.
    pub(super) baseline: &'a [Duration],
    /// Of alloy-evm's executor.
    pub(super) alloy: &'a [Duration],
    /// Of the engine.
    pub(super) times: &'a [Duration],
}

impl Row {
    /// Adds what was asked for beside times.
    pub(super) fn with(self, counters: Option<Counters>, stages: Option<Stages>) -> Self {
        Self { counters, stages, ..self }
    }

    pub(super) fn new(case: &str, variant: &Variant, samples: Samples<'_>, ideal: Ideal) -> Self {
        let Samples { baseline, alloy, times } = samples;
        let [baseline_ms, alloy_ms, ms] = [baseline, alloy, times].map(|times| quantile(times, 0.5));
        Self {
            case: case.to_owned(),
            threads: variant.threads,
            mode: variant.mode.name().to_owned(),
            baseline_ms: rounded(baseline_ms),
            alloy_ms: rounded(alloy_ms),
            alloy_ratio: rounded(alloy_ms / baseline_ms),
            ms: rounded(ms),
            quartiles_ms: (rounded(quantile(times, 0.25)), rounded(quantile(times, 0.75))),
            speedup: rounded(baseline_ms / ms),
            ideal: rounded(ideal.speed_up()),
            in_order: rounded(ideal.in_order()),
            efficiency: rounded(baseline_ms / ms / ideal.speed_up()),
            counters: None,
            stages: None,
        }
    }
}

pub(super) fn rounded(number: f64) -> f64 {
    (number * 1e4).round() / 1e4
}

/// A quantile of some times, in milliseconds.
pub(super) fn quantile(times: &[Duration], share: f64) -> f64 {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    let at = (share * (sorted.len().saturating_sub(1)) as f64).round() as usize;
    sorted.get(at).map_or(f64::NAN, |time| time.as_secs_f64() * 1e3)
}
