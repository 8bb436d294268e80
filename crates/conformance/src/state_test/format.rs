//! State tests as JSON has them.

use super::expected::Expected;
use super::transaction::StatedTransaction;
use crate::network::Config;
use crate::world::StatedAccounts;
use alloy_primitives::{Address, U256};
use serde::Deserialize;
use std::collections::BTreeMap;

/// One test: a state, and transactions that are executed on it, each by itself.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct StateTest {
    pub(crate) env: Env,
    pub(crate) pre: StatedAccounts,
    pub(crate) transaction: StatedTransaction,
    /// The expectations, by fork.
    pub(crate) post: BTreeMap<String, Vec<Expected>>,
    #[serde(default)]
    pub(crate) config: Config,
}

impl StateTest {
    /// All that is expected, with the fork.
    pub(crate) fn expected(&self) -> impl Iterator<Item = (&str, &Expected)> {
        self.post.iter().flat_map(|(fork, all)| all.iter().map(move |expected| (fork.as_str(), expected)))
    }
}

/// The block around the transaction.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Env {
    pub(crate) current_coinbase: Address,
    #[serde(default)]
    pub(crate) current_difficulty: U256,
    pub(crate) current_gas_limit: U256,
    pub(crate) current_number: U256,
    pub(crate) current_timestamp: U256,
    #[serde(default)]
    pub(crate) current_base_fee: Option<U256>,
    #[serde(default)]
    pub(crate) current_random: Option<U256>,
    #[serde(default)]
    pub(crate) current_excess_blob_gas: Option<U256>,
}
