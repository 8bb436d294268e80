//! A chain is a function of its configuration.
#![allow(clippy::unwrap_used)]

use crate::common::{chain, config};
use alloy_consensus::proofs::calculate_withdrawals_root;
use alloy_primitives::{B256, b256, keccak256};
use tandem_workload::{ChainConfig, Workload};

/// Everything that a chain's file says.
fn fingerprint(config: &ChainConfig) -> B256 {
    let (genesis, blocks) = chain(config);
    let mut bytes = Vec::new();
    genesis.write_json(&mut bytes).unwrap();
    for block in &blocks {
        bytes.extend(block.timestamp.to_be_bytes());
        bytes.extend(block.beneficiary);
        bytes.extend(block.gas_limit.to_be_bytes());
        bytes.extend(block.prev_randao);
        bytes.extend(block.parent_beacon_block_root);
        bytes.extend(block.transactions.iter().flat_map(|transaction| transaction.tx_hash().0));
        bytes.extend(block.senders.iter().flatten());
        bytes.extend(calculate_withdrawals_root(&block.withdrawals));
    }
    keccak256(bytes)
}

#[test]
fn the_same_seed_gives_the_same_chain() {
    for workload in Workload::ALL {
        assert_eq!(fingerprint(&config(workload)), fingerprint(&config(workload)), "{workload}");
    }
}

#[test]
fn different_seeds_give_different_chains() {
    for workload in Workload::ALL {
        let (one, two) = (chain(&config(workload)).1, chain(&config(workload).with_seed(2)).1);
        for (one, two) in one.iter().zip(&two) {
            assert_ne!(one.transactions, two.transactions, "{workload}");
            assert_ne!(one.senders, two.senders, "{workload}");
            assert_ne!(one.prev_randao, two.prev_randao, "{workload}");
        }
    }
}

#[test]
fn workloads_differ() {
    let mut all: Vec<_> = Workload::ALL.map(|workload| fingerprint(&config(workload))).into();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), Workload::ALL.len());
}

#[test]
fn a_longer_chain_begins_with_the_shorter_one() {
    for workload in Workload::ALL {
        let (genesis, short) = chain(&config(workload));
        let (other, long) = chain(&config(workload).with_blocks(6));
        assert_eq!(genesis.json_without_accounts(), other.json_without_accounts());
        assert_eq!(long[..4], short);
    }
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let pool = |threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    let of = |threads| pool(threads).install(|| fingerprint(&config(Workload::Mixed)));
    assert_eq!(of(1), of(4));
}

#[test]
fn the_default_chain_never_changes() {
    // Recorded results name the default chain: a change of its bytes makes them another chain's.
    let hash = fingerprint(&ChainConfig::default());
    assert_eq!(hash, b256!("b831bf126c4c59510d8f166ecdb1ebc506f5672a80e0bb9d746ff3c89683b89a"));
}
