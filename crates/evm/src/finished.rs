use crate::block::Block;
use crate::changes::StateChanges;
use crate::location::{Key, Value};
use alloy_consensus::{EthereumReceipt, TxReceipt};
use alloy_eips::eip7685::Requests;
use alloy_primitives::{B256, Bloom};
use revm::bytecode::Bytecode;
use std::sync::Arc;
use std::time::Duration;

/// A receipt as Ethereum defines it: type, status, cumulative gas, logs (EIP-2718).
pub type Receipt = EthereumReceipt;

/// The bloom filter over all logs of a block.
pub fn logs_bloom(receipts: &[Receipt]) -> Bloom {
    receipts.iter().fold(Bloom::ZERO, |bloom, receipt| bloom | receipt.bloom())
}

/// The root of a block's receipts trie. Only from Byzantium on: before, receipts hold state roots.
pub fn receipts_root(receipts: &[Receipt]) -> B256 {
    let receipts: Vec<_> = receipts.iter().map(TxReceipt::with_bloom_ref).collect();
    alloy_consensus::proofs::calculate_receipt_root(&receipts)
}

/// A block whose execution is final.
#[derive(Clone, Debug)]
pub struct FinishedBlock {
    /// The block that was executed.
    pub block: Arc<Block>,
    /// One receipt a transaction.
    pub receipts: Vec<Receipt>,
    /// Gas used by all transactions.
    pub gas_used: u64,
    /// The block's requests (EIP-7685); `None` before Prague.
    pub requests: Option<Requests>,
    /// What its steps went through.
    pub history: BlockHistory,
    /// Time from the end of the block before, or the stream's start, to this block's end. These add up to the time of
    /// the stream; they say little about one block alone, since later blocks execute meanwhile.
    pub time: Duration,
    pub(crate) changes: Vec<tandem_stm::Change<Key, Value>>,
    pub(crate) codes: Vec<(B256, Bytecode)>,
}

/// Counts over the steps of one block: its transactions, start and end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BlockHistory {
    /// Results found invalid, at their turn or before.
    pub conflicts: u64,
    /// Invalid results that were made valid without executing again.
    pub repairs: u64,
    /// Executions beyond the first of each step.
    pub reexecutions: u64,
}

impl FinishedBlock {
    /// The state changes of the whole block.
    pub fn state_changes(&self) -> StateChanges {
        StateChanges::new(&self.changes, self.codes.iter().cloned())
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
        self.requests.as_ref().map(Requests::requests_hash)
    }
}
