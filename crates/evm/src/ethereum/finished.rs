use super::chain_spec::ChainSpec;
use super::receipts::{logs_bloom, receipts_root};
use crate::api::FinishedBlock;
use crate::serial::PlainBlock;
use alloy_eips::eip7685::Requests;
use alloy_primitives::{B256, Bloom};

impl FinishedBlock<ChainSpec> {
    /// The block's requests (EIP-7685); `None` before Prague.
    pub fn requests(&self) -> Option<&Requests> {
        self.summary.requests.as_ref()
    }

    /// The bloom filter over all logs.
    pub fn logs_bloom(&self) -> Bloom {
        logs_bloom(&self.receipts)
    }

    /// The root of the receipts trie. Only from Byzantium on: before, receipts hold state roots.
    pub fn receipts_root(&self) -> B256 {
        receipts_root(&self.receipts)
    }

    /// The hash over the block's requests (EIP-7685); `None` before Prague.
    pub fn requests_hash(&self) -> Option<B256> {
        self.requests().map(Requests::requests_hash)
    }
}

impl PlainBlock<ChainSpec> {
    /// The block's requests (EIP-7685); `None` before Prague.
    pub fn requests(&self) -> Option<&Requests> {
        self.summary.requests.as_ref()
    }
}
