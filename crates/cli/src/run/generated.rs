//! The default input: a small generated chain.

use super::load::{Input, InputBlock};
use crate::failure::Failure;
use alloy_consensus::transaction::Recovered;
use std::sync::Arc;
use tandem_evm::{Block, ChainSpec, PlainExecutor, SignedBlock, StoreRef, logs_bloom, receipts_root};
use tandem_workload::ChainConfig;

/// Generates the chain, and completes its headers with what the plain revm loop gives, so that there is something
/// to check against.
pub(crate) fn generate() -> Result<Input, Failure> {
    let chain = Arc::new(ChainSpec::known(1).ok_or_else(|| Failure::fault("mainnet's rules are missing"))?);
    let generated = tandem_workload::generate(&ChainConfig::default()).map_err(Failure::fault)?;
    let mut executor = PlainExecutor::new();
    let mut state = generated.genesis.clone();
    let mut input = Input::default();
    for block in generated.blocks {
        let mut header = block.header;
        let recovered = block
            .transactions
            .iter()
            .zip(&block.senders)
            .map(|(transaction, sender)| Recovered::new_unchecked(transaction.clone(), *sender));
        let ready = Block::new(&chain, header.clone(), recovered, Vec::new(), block.withdrawals.clone());
        let executed = executor.execute(&StoreRef(&state), &ready).map_err(Failure::fault)?;
        let changes = executed.state_changes(&StoreRef(&state)).map_err(Failure::fault)?;
        changes.apply(&mut state);
        header.gas_used = executed.gas_used;
        header.receipts_root = receipts_root(&executed.receipts);
        header.logs_bloom = logs_bloom(&executed.receipts);
        header.requests_hash = executed.requests.map(|requests| requests.requests_hash());
        input.blocks.push(InputBlock {
            name: format!("generated block {}", header.number),
            signed: SignedBlock {
                chain: chain.clone(),
                header,
                transactions: block.transactions,
                ommers: Vec::new(),
                withdrawals: block.withdrawals,
            },
            expected_senders: block.senders,
            world: 0,
        });
    }
    input.worlds.push(generated.genesis);
    Ok(input)
}
