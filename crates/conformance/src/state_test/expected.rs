use crate::index::Index;
use alloy_primitives::{B256, Bytes};
use serde::Deserialize;

/// The expected results of one combination of the transaction's data, gas limit and value.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Expected {
    pub(crate) hash: B256,
    pub(crate) logs: B256,
    pub(crate) indexes: Index,
    #[serde(default)]
    pub(crate) txbytes: Option<Bytes>,
    #[serde(default, rename = "expectException")]
    pub(crate) exception: Option<String>,
}
