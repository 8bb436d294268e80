use crate::trie::{LeafUpdates, NodeUpdates};
use alloy_consensus::{EthereumReceipt, Header, TxEnvelope};
use alloy_primitives::{B256, Bytes};

/// Transactions, ommers and withdrawals of a block.
pub type BlockBody = alloy_consensus::BlockBody<TxEnvelope>;

/// Consecutive blocks that are committed together.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// The blocks, the first of them on top of the database's head.
    pub blocks: Vec<BlockRecord>,
    /// The inner nodes that differ between the state before the first block and the state after the last.
    pub nodes: NodeUpdates,
}

/// One block with everything that the database keeps of it.
#[derive(Clone, Debug)]
pub struct BlockRecord {
    /// The header.
    pub header: Header,
    /// The header's hash.
    pub hash: B256,
    /// Transactions, ommers and withdrawals.
    pub body: BlockBody,
    /// One receipt a transaction.
    pub receipts: Vec<EthereumReceipt>,
    /// The leaves that the block changed.
    pub leaves: LeafUpdates,
    /// Codes that the block deployed, by hash.
    pub codes: Vec<(B256, Bytes)>,
}

/// The last block of the chain in the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Head {
    /// The block's number.
    pub number: u64,
    /// The block's hash.
    pub hash: B256,
    /// The root of the state after the block.
    pub state_root: B256,
}
