use super::cost::{Cost, Figures};
use serde::Serialize;

/// Some of the blocks, together.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Part<'a> {
    /// How many they are.
    pub(super) blocks: usize,
    #[serde(flatten)]
    pub(super) figures: Figures,
    /// The block with the least speed-up.
    pub(super) worst: Worst<'a>,
}

/// One block of several.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Worst<'a> {
    pub(super) block: &'a str,
    #[serde(flatten)]
    pub(super) figures: Figures,
}

/// A block, what it costs the plain loop and what it costs an engine.
#[derive(Clone, Copy, Debug)]
pub(super) struct Measured<'a> {
    pub(super) block: &'a str,
    pub(super) baseline: Cost,
    pub(super) cost: Cost,
}

impl Measured<'_> {
    pub(super) fn figures(&self) -> Figures {
        Figures::new(self.baseline, self.cost)
    }
}

impl<'a> Part<'a> {
    /// The blocks whose time in the plain loop, in milliseconds, is one that `takes` accepts; `None` if there are none.
    pub(super) fn new(measured: &[Measured<'a>], takes: impl Fn(f64) -> bool) -> Option<Self> {
        let blocks: Vec<_> = measured.iter().filter(|measured| takes(measured.baseline.ms)).collect();
        let gain = |measured: &Measured<'_>| measured.baseline.ms / measured.cost.ms;
        let worst = blocks.iter().min_by(|a, b| gain(a).total_cmp(&gain(b)))?;
        let baseline = Cost::sum(blocks.iter().map(|measured| &measured.baseline));
        let cost = Cost::sum(blocks.iter().map(|measured| &measured.cost));
        Some(Self {
            blocks: blocks.len(),
            figures: Figures::new(baseline, cost),
            worst: Worst { block: worst.block, figures: worst.figures() },
        })
    }
}
