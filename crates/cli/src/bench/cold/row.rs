use super::cost::Figures;
use super::part::Part;
use serde::Serialize;

/// One block on one engine.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct BlockRow<'a> {
    pub(super) case: &'a str,
    pub(super) threads: usize,
    pub(super) mode: &'static str,
    #[serde(flatten)]
    pub(super) figures: Figures,
}

/// A workload, or everything, on one engine.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Summary<'a> {
    pub(super) case: &'a str,
    pub(super) threads: usize,
    pub(super) mode: &'static str,
    /// Of all blocks.
    #[serde(flatten)]
    pub(super) all: Part<'a>,
    /// Of blocks that take the plain loop 0.2 ms and more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) long: Option<Part<'a>>,
    /// Of blocks that take it 10 to 50 us.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) short: Option<Part<'a>>,
}
