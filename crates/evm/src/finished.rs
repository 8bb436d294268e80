use crate::block::Block;
use crate::changes::PartialChanges;
use alloy_consensus::{Eip658Value, EthereumReceipt, ReceiptEnvelope, ReceiptWithBloom, TxReceipt};
use alloy_eips::eip7685::Requests;
use alloy_primitives::{B256, Bloom};
use std::sync::Arc;
use std::time::Duration;
use tandem_state::StateChanges;

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

/// The root of a block's receipts trie before Byzantium, where each receipt holds the root of the state after its
/// transaction (`roots`, in order) instead of a status.
pub fn receipts_root_before_byzantium(receipts: &[Receipt], roots: &[B256]) -> B256 {
    let receipts: Vec<_> = receipts
        .iter()
        .zip(roots)
        .map(|(receipt, root)| {
            let logs_bloom = receipt.bloom();
            let receipt = alloy_consensus::Receipt {
                status: Eip658Value::PostState(*root),
                cumulative_gas_used: receipt.cumulative_gas_used,
                logs: receipt.logs.clone(),
            };
            ReceiptEnvelope::Legacy(ReceiptWithBloom { receipt, logs_bloom })
        })
        .collect();
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
    pub(crate) parts: Vec<PartialChanges>,
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
        let mut parts = self.parts.iter().map(PartialChanges::state_changes);
        let mut changes = parts.next().unwrap_or_default();
        parts.for_each(|part| changes.extend(part));
        changes
    }

    /// The state changes in pieces, in order.
    ///
    /// Before Byzantium each transaction is a piece of its own, since receipts hold the state's root after it, and what
    /// comes after the last transaction is one more. Later, blocks come in few pieces: those that
    /// [`crate::Executor::stream_observed`] has shown, and the rest.
    pub fn parts(&self) -> &[PartialChanges] {
        &self.parts
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
