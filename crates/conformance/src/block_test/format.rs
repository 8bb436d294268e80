//! Blockchain tests as JSON has them.

use crate::network::Config;
use crate::world::StatedAccounts;
use alloy_primitives::{B256, Bytes};
use serde::Deserialize;

/// One test: a genesis, and blocks in the order in which they arrive.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct BlockTest {
    /// The name of the rules.
    pub(crate) network: String,
    #[serde(default)]
    pub(crate) config: Config,
    #[serde(rename = "genesisBlockHeader")]
    pub(crate) genesis: StatedHeader,
    #[serde(rename = "genesisRLP")]
    pub(crate) genesis_rlp: Option<Bytes>,
    pub(crate) pre: StatedAccounts,
    pub(crate) blocks: Vec<StatedBlock>,
    /// The hash of the block at the end of the chosen branch.
    #[serde(rename = "lastblockhash")]
    pub(crate) last_block_hash: B256,
    /// The state after that block.
    #[serde(default, rename = "postState")]
    pub(crate) post_state: Option<StatedAccounts>,
    /// The root of that state, where the state is not given.
    #[serde(default, rename = "postStateHash")]
    pub(crate) post_state_hash: Option<B256>,
}

/// A header, of which the hash says all.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
pub(crate) struct StatedHeader {
    pub(crate) hash: B256,
}

/// A block as it arrives.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct StatedBlock {
    pub(crate) rlp: Bytes,
    #[serde(default, rename = "blockHeader")]
    pub(crate) header: Option<StatedHeader>,
    /// Why it must be refused.
    #[serde(default, rename = "expectException")]
    pub(crate) exception: Option<String>,
}
