use super::clock::Sample;
use crate::bench::row::{quantile, rounded};
use serde::Serialize;

/// What an engine's calls cost: medians over the rounds, summed over blocks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cost {
    pub(super) ms: f64,
    /// Processor time, where the system tells it.
    pub(super) cpu_ms: Option<f64>,
}

impl Cost {
    /// Of one block.
    pub(super) fn median(samples: &[Sample]) -> Self {
        let times: Vec<_> = samples.iter().map(|sample| sample.time).collect();
        let processor: Option<Vec<_>> = samples.iter().map(|sample| sample.processor).collect();
        Self { ms: quantile(&times, 0.5), cpu_ms: processor.map(|times| quantile(&times, 0.5)) }
    }

    pub(super) fn sum<'a>(costs: impl Iterator<Item = &'a Self>) -> Self {
        costs.fold(Self { ms: 0.0, cpu_ms: Some(0.0) }, |sum, cost| Self {
            ms: sum.ms + cost.ms,
            cpu_ms: sum.cpu_ms.zip(cost.cpu_ms).map(|(sum, cost)| sum + cost),
        })
    }
}

/// An engine's cost beside the plain loop's.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Figures {
    /// Time of the plain loop, in milliseconds.
    pub(super) baseline_ms: f64,
    /// Time of the engine, in milliseconds.
    pub(super) ms: f64,
    /// How many times faster than the plain loop the engine is.
    pub(super) speedup: f64,
    /// Processor time of all the engine's threads, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cpu_ms: Option<f64>,
    /// The same as a multiple of the plain loop's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cpu_ratio: Option<f64>,
}

impl Figures {
    pub(super) fn new(baseline: Cost, cost: Cost) -> Self {
        Self {
            baseline_ms: rounded(baseline.ms),
            ms: rounded(cost.ms),
            speedup: rounded(baseline.ms / cost.ms),
            cpu_ms: cost.cpu_ms.map(rounded),
            cpu_ratio: cost.cpu_ms.zip(baseline.cpu_ms).map(|(cost, baseline)| rounded(cost / baseline)),
        }
    }
}
