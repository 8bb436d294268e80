//! What every generated block is, from its headers to its transactions.
#![allow(clippy::unwrap_used)]

use alloy_consensus::{
    Header, Transaction, TxType,
    proofs::{calculate_transaction_root, calculate_withdrawals_root},
    transaction::SignerRecoverable,
};
use alloy_primitives::{Address, U256};
use std::collections::{HashMap, HashSet};
use tandem_workload::{
    BASE_FEE, CHAIN_ID, ChainConfig, GAS_LIMIT, GeneratedChain, MAX_ACCOUNTS, MAX_BLOCKS, MAX_TRANSACTIONS,
    WorkloadError,
    contracts::{EXCHANGE, TOKEN_A},
    generate,
};

fn chain() -> GeneratedChain {
    generate(&ChainConfig::default().with_blocks(8).with_accounts(40)).unwrap()
}

#[test]
fn headers_form_a_chain_under_mainnets_rules() {
    let chain = chain();
    assert_eq!(chain.blocks.len(), 8);
    let mut parent: Option<&Header> = None;
    for (offset, block) in (0..).zip(&chain.blocks) {
        let header = &block.header;
        assert_eq!(header.number, 25_200_001 + offset);
        assert_eq!(header.timestamp, 1_780_000_000 + 12 * offset);
        assert_eq!(header.base_fee_per_gas, Some(1_000_000_000));
        assert_eq!(header.gas_limit, 60_000_000);
        assert_eq!(header.difficulty, U256::ZERO);
        assert_eq!((header.blob_gas_used, header.excess_blob_gas), (Some(0), Some(0)));
        assert!(header.parent_beacon_block_root.is_some());
        if let Some(parent) = parent {
            assert_eq!(header.parent_hash, parent.hash_slow());
            assert_ne!(header.mix_hash, parent.mix_hash);
        }
        parent = Some(header);
    }
}

#[test]
fn roots_are_those_of_the_body() {
    for block in chain().blocks {
        assert_eq!(block.header.transactions_root, calculate_transaction_root(&block.transactions));
        let root = calculate_withdrawals_root(&block.withdrawals);
        assert_eq!(block.header.withdrawals_root, Some(root));
    }
}

#[test]
fn withdrawals_are_numbered_through_the_chain() {
    let chain = chain();
    let indices: Vec<_> =
        chain.blocks.iter().flat_map(|block| block.withdrawals.iter().map(|it| it.index)).collect();
    assert!(!indices.is_empty());
    assert!(indices.windows(2).all(|pair| pair[0] + 1 == pair[1]));
    assert!(chain.blocks.iter().all(|block| block.withdrawals.len() <= 2));
}

#[test]
fn signatures_recover_to_the_listed_senders() {
    for block in chain().blocks {
        assert_eq!(block.transactions.len(), 200);
        assert_eq!(block.senders.len(), 200);
        for (transaction, sender) in block.transactions.iter().zip(&block.senders) {
            assert_eq!(transaction.recover_signer().unwrap(), *sender);
            assert_eq!(transaction.chain_id(), Some(CHAIN_ID));
        }
    }
}

#[test]
fn nonces_are_consecutive_for_every_sender() {
    let mut next = HashMap::<Address, u64>::new();
    for block in chain().blocks {
        for (transaction, sender) in block.transactions.iter().zip(&block.senders) {
            let nonce = next.entry(*sender).or_default();
            assert_eq!(transaction.nonce(), *nonce);
            *nonce += 1;
        }
    }
    assert_eq!(next.len(), 40);
}

#[test]
fn blocks_mix_transfers_tokens_and_swaps() {
    for block in chain().blocks {
        let calls = |address| {
            block.transactions.iter().filter(|&transaction| transaction.to() == Some(address)).count()
        };
        assert_eq!((calls(TOKEN_A), calls(EXCHANGE)), (70, 40));
        let transfers = block.transactions.iter().filter(|&transaction| transaction.input().is_empty());
        assert_eq!(transfers.count(), 90);
        let directions: HashSet<_> = block
            .transactions
            .iter()
            .filter(|&transaction| transaction.to() == Some(EXCHANGE))
            .map(|transaction| transaction.input()[35])
            .collect();
        assert_eq!(directions, HashSet::from([0, 1]));
    }
}

#[test]
fn most_transactions_are_of_eip_1559_and_some_legacy() {
    let chain = chain();
    let transactions: Vec<_> = chain.blocks.iter().flat_map(|block| &block.transactions).collect();
    let legacy = transactions.iter().filter(|transaction| transaction.tx_type() == TxType::Legacy).count();
    let dynamic = transactions.iter().filter(|transaction| transaction.tx_type() == TxType::Eip1559).count();
    assert_eq!(legacy + dynamic, transactions.len());
    assert!(legacy > 0 && legacy * 4 < dynamic);
    assert!(transactions.iter().all(|&transaction| transaction.max_fee_per_gas() >= u128::from(BASE_FEE)));
}

#[test]
fn gas_limits_fit_into_the_largest_block() {
    let config = ChainConfig::default().with_blocks(1).with_transactions(MAX_TRANSACTIONS);
    let chain = generate(&config).unwrap();
    let gas: u64 = chain.blocks[0].transactions.iter().map(|transaction| transaction.gas_limit()).sum();
    assert!(gas <= GAS_LIMIT);
}

#[test]
fn numbers_out_of_range_are_errors() {
    let refused = |config: ChainConfig, field, value, max| {
        let error = generate(&config).err();
        assert_eq!(error, Some(WorkloadError::OutOfRange { field, value, max }));
    };
    let config = ChainConfig::default();
    for value in [0, MAX_BLOCKS + 1, usize::MAX] {
        refused(config.with_blocks(value), "blocks", value, MAX_BLOCKS);
    }
    for value in [0, MAX_TRANSACTIONS + 1, usize::MAX] {
        refused(config.with_transactions(value), "transactions", value, MAX_TRANSACTIONS);
    }
    for value in [0, MAX_ACCOUNTS + 1, usize::MAX] {
        refused(config.with_accounts(value), "accounts", value, MAX_ACCOUNTS);
    }
}

#[test]
fn the_smallest_chain_has_one_transaction() {
    let config = ChainConfig { blocks: 1, transactions: 1, accounts: 1, seed: 0 };
    let chain = generate(&config).unwrap();
    assert_eq!(chain.blocks[0].transactions.len(), 1);
}
