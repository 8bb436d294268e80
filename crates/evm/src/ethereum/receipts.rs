use alloy_consensus::{Eip658Value, EthereumReceipt, ReceiptEnvelope, ReceiptWithBloom, TxReceipt};
use alloy_primitives::{B256, Bloom};

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
