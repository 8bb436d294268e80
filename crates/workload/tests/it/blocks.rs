//! The contents of the blocks of each workload.
#![allow(clippy::unwrap_used)]

use crate::common::{BASE_FEE, chain, config};
use alloy_consensus::{Transaction, TxType, transaction::SignerRecoverable};
use alloy_primitives::Address;
use std::collections::{HashMap, HashSet};
use tandem_workload::{
    CHAIN_ID, Chain, ChainConfig, MAX_ACCOUNTS, MAX_BLOCKS, MAX_POPULATION, MAX_TRANSACTIONS, Proposal,
    Workload, WorkloadError,
    contracts::{
        AIRDROP, BOOK, COLLECTIONS, EXCHANGES, FACTORY, LENDING, ORACLE, PROVERS, ROUTER, SPLITTER, TOKENS,
        TOUCHERS, collection, exchange, prover, token, toucher,
    },
};

fn blocks(workload: Workload) -> Vec<Proposal> {
    chain(&config(workload)).1
}

/// How many transactions of a block go to each address.
fn recipients(block: &Proposal) -> HashMap<Address, usize> {
    let mut counts = HashMap::new();
    for transaction in &block.transactions {
        *counts.entry(transaction.to().unwrap()).or_default() += 1;
    }
    counts
}

fn distinct_senders(block: &Proposal) -> usize {
    block.senders.iter().collect::<HashSet<_>>().len()
}

#[test]
fn blocks_follow_one_another_in_time() {
    for blocks in Workload::ALL.map(blocks) {
        assert!(blocks.windows(2).all(|pair| pair[0].timestamp + 12 == pair[1].timestamp));
        assert!(blocks.windows(2).all(|pair| pair[0].prev_randao != pair[1].prev_randao));
        assert!(blocks.windows(2).all(|pair| pair[0].gas_limit == pair[1].gas_limit));
    }
}

#[test]
fn withdrawals_are_numbered_through_the_chain() {
    for blocks in Workload::ALL.map(blocks) {
        let indices: Vec<_> =
            blocks.iter().flat_map(|block| block.withdrawals.iter().map(|it| it.index)).collect();
        assert!(indices.iter().copied().eq(0..indices.len() as u64));
        assert!(blocks.iter().all(|block| block.withdrawals.len() <= 2));
    }
}

#[test]
fn blocks_that_nobody_signs_are_the_same_but_for_signatures() {
    for workload in [Workload::Transfers, Workload::Mainnet] {
        let config = config(workload);
        let (mut signed, mut unsigned) =
            (Chain::new(&config).unwrap().proposer, Chain::new(&config).unwrap().proposer);
        for _ in 0..2 {
            let (a, b) = (signed.propose(BASE_FEE).unwrap(), unsigned.propose_unsigned(BASE_FEE).unwrap());
            assert_eq!((&a.senders, a.timestamp, &a.withdrawals), (&b.senders, b.timestamp, &b.withdrawals));
            let hashes = |proposal: &Proposal| -> Vec<_> {
                proposal.transactions.iter().map(|transaction| transaction.signature_hash()).collect()
            };
            assert_eq!(hashes(&a), hashes(&b));
            assert!(
                b.transactions
                    .iter()
                    .all(|transaction| transaction.signature() == b.transactions[0].signature())
            );
        }
    }
}

#[test]
fn signatures_recover_to_the_listed_senders() {
    for block in Workload::ALL.map(blocks).iter().flatten() {
        assert_eq!((block.transactions.len(), block.senders.len()), (50, 50));
        for (transaction, sender) in block.transactions.iter().zip(&block.senders) {
            assert_eq!(transaction.recover_signer().unwrap(), *sender);
            assert_eq!(transaction.chain_id(), Some(CHAIN_ID));
            assert!(transaction.max_fee_per_gas() >= u128::from(BASE_FEE));
        }
    }
}

#[test]
fn nonces_are_consecutive_for_every_sender() {
    for blocks in Workload::ALL.map(blocks) {
        let mut next = HashMap::<Address, u64>::new();
        for block in &blocks {
            for (transaction, sender) in block.transactions.iter().zip(&block.senders) {
                let nonce = next.entry(*sender).or_default();
                assert_eq!(transaction.nonce(), *nonce);
                *nonce += 1;
                for authorization in transaction.authorization_list().unwrap_or_default() {
                    let nonce = next.entry(authorization.recover_authority().unwrap()).or_default();
                    assert_eq!(authorization.nonce, *nonce);
                    *nonce += 1;
                }
            }
        }
    }
}

#[test]
fn most_transactions_are_of_eip_1559_and_some_legacy() {
    let blocks = blocks(Workload::Mixed);
    let transactions: Vec<_> = blocks.iter().flat_map(|block| &block.transactions).collect();
    let legacy = transactions.iter().filter(|transaction| transaction.tx_type() == TxType::Legacy).count();
    let dynamic = transactions.iter().filter(|transaction| transaction.tx_type() == TxType::Eip1559).count();
    assert_eq!(legacy + dynamic, transactions.len());
    assert!(legacy > 0 && legacy * 4 < dynamic);
}

#[test]
fn transfers_are_between_accounts_of_their_own() {
    for block in blocks(Workload::Transfers) {
        assert_eq!(distinct_senders(&block), 50);
        assert_eq!(recipients(&block).len(), 50);
        assert!(block.transactions.iter().all(|transaction| transaction.input().is_empty()));
    }
}

#[test]
fn one_hot_pays_one_account() {
    for block in blocks(Workload::OneHot) {
        assert_eq!((distinct_senders(&block), recipients(&block).len()), (50, 1));
    }
    let half = chain(&config(Workload::OneHot).with_hot(0.5)).1;
    let most: usize = half.iter().map(|block| *recipients(block).values().max().unwrap()).sum();
    assert!((70..130).contains(&most), "{most} of 200");
}

#[test]
fn a_payroll_has_one_sender() {
    for block in blocks(Workload::Payroll) {
        assert_eq!((distinct_senders(&block), recipients(&block).len()), (1, 50));
    }
}

#[test]
fn zipfs_law_has_favourites() {
    let config = config(Workload::Zipf).with_transactions(400);
    for block in chain(&config).1 {
        let recipients = recipients(&block);
        let to_tokens: usize = (0..TOKENS).map(|index| recipients[&token(index)]).sum();
        assert_eq!(to_tokens, 200);
        let tokens: HashSet<_> = (0..TOKENS).map(token).collect();
        let favourite = recipients.iter().filter(|(to, _)| !tokens.contains(*to)).map(|(_, n)| *n).max();
        assert!(favourite.unwrap() > 15);
    }
}

#[test]
fn token_transfers_spread_over_tokens_and_holders() {
    for block in blocks(Workload::Token) {
        let recipients = recipients(&block);
        assert_eq!((distinct_senders(&block), recipients.len()), (50, TOKENS));
        let holders: HashSet<_> = block
            .transactions
            .iter()
            .map(|transaction| (transaction.to(), transaction.input()[16..36].to_vec()))
            .collect();
        assert_eq!(holders.len(), 50);
    }
}

#[test]
fn hot_spots_are_one_contract_of_several() {
    let all = |count, place: fn(usize) -> Address| (0..count).map(place).collect::<HashSet<_>>();
    for (workload, contracts, first) in [
        (Workload::Swaps, all(EXCHANGES, exchange), exchange(0)),
        (Workload::Nft, all(COLLECTIONS, collection), collection(0)),
    ] {
        for block in chain(&config(workload)).1 {
            assert_eq!(recipients(&block), HashMap::from([(first, 50)]));
        }
        for block in chain(&config(workload).with_hot(0.0)).1 {
            assert_eq!(recipients(&block).into_keys().collect::<HashSet<_>>(), contracts);
        }
    }
}

#[test]
fn independent_swaps_have_exchanges_and_senders_of_their_own() {
    for block in blocks(Workload::IndependentSwaps) {
        assert_eq!((distinct_senders(&block), recipients(&block).len()), (50, 50));
    }
    // With fewer accounts than swaps, exchanges are still distinct.
    for block in chain(&config(Workload::IndependentSwaps).with_accounts(7)).1 {
        assert_eq!((distinct_senders(&block), recipients(&block).len()), (7, 50));
    }
    let hot = chain(&config(Workload::IndependentSwaps).with_hot(1.0)).1;
    assert_eq!(recipients(&hot[0]), HashMap::from([(exchange(0), 50)]));
}

#[test]
fn first_touches_are_of_places_of_their_own_in_four_ways() {
    let blocks = blocks(Workload::FirstTouch);
    let inputs: Vec<_> = blocks.iter().flat_map(|block| &block.transactions).map(|it| it.input()).collect();
    assert_eq!(inputs.iter().collect::<HashSet<_>>().len(), inputs.len());
    let called: HashSet<_> = blocks.iter().flat_map(|block| recipients(block).into_keys()).collect();
    assert_eq!(called, (0..TOUCHERS).map(toucher).collect());
    let hot = chain(&config(Workload::FirstTouch).with_hot(1.0)).1;
    let inputs: HashSet<_> = hot.iter().flat_map(|block| &block.transactions).map(|it| it.input()).collect();
    assert_eq!(inputs.len(), 1);
}

#[test]
fn the_mainnet_mix_calls_every_contract() {
    let config = ChainConfig::default()
        .with_workload(Workload::Mainnet)
        .with_transactions(Workload::Mainnet.transactions());
    let blocks = chain(&config).1;
    let called: HashSet<_> = blocks.iter().flat_map(|block| recipients(block).into_keys()).collect();
    for contract in [
        AIRDROP,
        BOOK,
        FACTORY,
        LENDING,
        ORACLE,
        ROUTER,
        SPLITTER,
        prover(0),
        prover(PROVERS - 1),
        token(0),
        token(1),
        token(2),
    ] {
        assert!(called.contains(&contract), "{contract}");
    }
    let all = blocks.iter().flat_map(|block| &block.transactions);
    assert!(all.filter(|&transaction| transaction.tx_type() == TxType::Eip7702).count() > 5);
    // An account that has delegated once calls its own code without an authorization.
    let calls_itself = |block: &Proposal| {
        let pairs = block.transactions.iter().zip(&block.senders);
        pairs.filter(|&(transaction, &sender)| transaction.to() == Some(sender)).count()
    };
    assert!(blocks.iter().map(calls_itself).sum::<usize>() > 10);
}

#[test]
fn airdrops_name_many_recipients() {
    for block in blocks(Workload::Airdrop) {
        assert_eq!(recipients(&block), HashMap::from([(AIRDROP, 50)]));
        assert_eq!(distinct_senders(&block), 50);
        for transaction in &block.transactions {
            let words: Vec<_> = transaction.input()[4..].chunks(32).collect();
            assert_eq!(words.len(), 4 + 16);
            assert_eq!(words[4..].iter().collect::<HashSet<_>>().len(), 16);
        }
    }
    let one = chain(&config(Workload::Airdrop).with_hot(1.0)).1;
    assert_eq!(distinct_senders(&one[0]), 1);
}

#[test]
fn mixed_blocks_have_fixed_shares() {
    let config = ChainConfig::default().with_blocks(3);
    for block in chain(&config).1 {
        let recipients = recipients(&block);
        let calls = |place: fn(usize) -> Address, count| -> usize {
            (0..count).filter_map(|index| recipients.get(&place(index))).sum()
        };
        assert_eq!((calls(token, TOKENS), calls(exchange, EXCHANGES)), (70, 40));
        let plain = block.transactions.iter().filter(|&transaction| transaction.input().is_empty()).count();
        assert_eq!(plain, 90);
        let directions: HashSet<_> = block
            .transactions
            .iter()
            .filter(|&transaction| transaction.to() == Some(exchange(0)))
            .map(|transaction| transaction.input()[35])
            .collect();
        assert_eq!(directions, HashSet::from([0, 1]));
    }
}

#[test]
fn numbers_out_of_range_are_errors() {
    let refused = |config: ChainConfig, field, value, min, max| {
        let error = Chain::new(&config).err();
        assert_eq!(error, Some(WorkloadError::OutOfRange { field, value, min, max }));
    };
    let config = ChainConfig::default();
    for value in [0, MAX_BLOCKS + 1, usize::MAX] {
        refused(config.with_blocks(value), "blocks", value, 1, MAX_BLOCKS);
    }
    for value in [0, MAX_TRANSACTIONS + 1, usize::MAX] {
        refused(config.with_transactions(value), "transactions", value, 1, MAX_TRANSACTIONS);
    }
    for value in [0, MAX_ACCOUNTS + 1, usize::MAX] {
        refused(config.with_accounts(value), "accounts", value, 1, MAX_ACCOUNTS);
    }
    for value in [MAX_POPULATION + 1, usize::MAX] {
        refused(config.with_population(value), "population", value, 0, MAX_POPULATION);
    }
    refused(config.with_population(3).with_slots(25), "slots", 25, 0, 24);
    refused(config.with_population(0).with_slots(1), "slots", 1, 0, 0);
    for hot in [-0.1, 1.1, f64::INFINITY] {
        assert_eq!(Chain::new(&config.with_hot(hot)).err(), Some(WorkloadError::Hot(hot)));
    }
    assert!(matches!(Chain::new(&config.with_hot(f64::NAN)), Err(WorkloadError::Hot(_))));
}

#[test]
fn the_smallest_chain_has_one_transaction() {
    for workload in Workload::ALL {
        let config = ChainConfig {
            workload,
            blocks: 1,
            transactions: 1,
            accounts: 1,
            population: 0,
            slots: 0,
            hot: None,
            seed: 0,
        };
        let (_, blocks) = chain(&config);
        assert_eq!(blocks[0].transactions.len(), 1);
    }
}
