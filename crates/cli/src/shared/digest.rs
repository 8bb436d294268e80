use super::executed::Output;
use alloy_primitives::{B256, Keccak256, U256};
use tandem_evm::Receipt;
use tandem_state::Account;

/// A hash over a block's receipts and state changes, the same for every way of executing it.
pub(crate) fn block_digest(output: &Output) -> B256 {
    let mut hasher = Keccak256::new();
    let id = output.block.id();
    number(&mut hasher, id.chain_id);
    number(&mut hasher, id.number);
    length(&mut hasher, output.receipts.len());
    for receipt in &output.receipts {
        add_receipt(&mut hasher, receipt);
    }
    if let Some(hash) = output.requests_hash() {
        hasher.update(hash);
    }
    length(&mut hasher, output.changes.accounts.len());
    for (address, change) in &output.changes.accounts {
        hasher.update(address);
        match &change.fields {
            None => hasher.update([0]),
            Some((before, after)) => {
                hasher.update([1]);
                add_fields(&mut hasher, before.as_ref());
                add_fields(&mut hasher, after.as_ref());
            }
        }
        hasher.update([u8::from(change.storage_wiped)]);
        length(&mut hasher, change.storage.len());
        for (slot, (before, after)) in &change.storage {
            for word in [slot, before, after] {
                hasher.update(U256::to_be_bytes::<32>(word));
            }
        }
    }
    hasher.finalize()
}

/// The digest of a run: over its blocks', in order.
pub(crate) fn run_digest(blocks: &[B256]) -> B256 {
    let mut hasher = Keccak256::new();
    for digest in blocks {
        hasher.update(digest);
    }
    hasher.finalize()
}

fn number(hasher: &mut Keccak256, value: u64) {
    hasher.update(value.to_be_bytes());
}

fn length(hasher: &mut Keccak256, value: usize) {
    number(hasher, value as u64);
}

fn add_receipt(hasher: &mut Keccak256, receipt: &Receipt) {
    hasher.update([u8::from(receipt.tx_type), u8::from(receipt.success)]);
    number(hasher, receipt.cumulative_gas_used);
    length(hasher, receipt.logs.len());
    for log in &receipt.logs {
        hasher.update(log.address);
        length(hasher, log.topics().len());
        for topic in log.topics() {
            hasher.update(topic);
        }
        length(hasher, log.data.data.len());
        hasher.update(&log.data.data);
    }
}

fn add_fields(hasher: &mut Keccak256, fields: Option<&Account>) {
    match fields {
        None => hasher.update([0]),
        Some(fields) => {
            hasher.update([1]);
            hasher.update(fields.balance.to_be_bytes::<32>());
            number(hasher, fields.nonce);
            hasher.update(fields.code_hash);
        }
    }
}
