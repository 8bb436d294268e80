//! State tests as JSON has them.

use super::transaction::StatedTransaction;
use crate::network::Config;
use crate::world::StatedAccounts;
use alloy_primitives::{Address, B256, Bytes, U256};
use serde::Deserialize;
use std::collections::BTreeMap;

/// One test: a state, and transactions that are executed on it, each by itself.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct StateTest {
    pub(crate) env: Env,
    pub(crate) pre: StatedAccounts,
    pub(crate) transaction: StatedTransaction,
    /// What is expected, by fork.
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

/// What one combination of the transaction's data, gas limit and value must give.
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

/// Which data, gas limit and value of a state test's transaction are meant.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
pub struct Index {
    /// Index into the list of data, and of access lists.
    pub data: usize,
    /// Index into the list of gas limits.
    pub gas: usize,
    /// Index into the list of values.
    pub value: usize,
}

impl std::fmt::Display for Index {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "d{}g{}v{}", self.data, self.gas, self.value)
    }
}
