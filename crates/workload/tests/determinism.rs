//! A chain is a function of its configuration.
#![allow(clippy::unwrap_used)]

use alloy_primitives::b256;
use tandem_state::Store;
use tandem_workload::{ChainConfig, FIRST_NUMBER, GeneratedChain, generate};

fn config() -> ChainConfig {
    ChainConfig::default().with_blocks(4).with_transactions(50).with_accounts(30)
}

fn chain(config: ChainConfig) -> GeneratedChain {
    generate(&config).unwrap()
}

#[test]
fn the_same_seed_gives_the_same_chain() {
    let (one, two) = (chain(config()), chain(config()));
    assert_eq!(one.blocks, two.blocks);
    assert_eq!(one.genesis, two.genesis);
}

#[test]
fn different_seeds_give_different_chains() {
    let (one, two) = (chain(config()), chain(config().with_seed(2)));
    for (left, right) in one.blocks.iter().zip(&two.blocks) {
        assert_ne!(left.header.hash_slow(), right.header.hash_slow());
        assert_ne!(left.transactions, right.transactions);
        assert_ne!(left.senders, right.senders);
    }
}

#[test]
fn a_longer_chain_begins_with_the_shorter_one() {
    let long = chain(config().with_blocks(6));
    assert_eq!(long.blocks[..4], chain(config()).blocks);
}

#[test]
fn genesis_knows_the_hash_of_the_first_blocks_parent() {
    let chain = chain(config());
    let parent = chain.blocks[0].header.parent_hash;
    assert!(!parent.is_zero());
    assert_eq!(chain.genesis.block_hash(FIRST_NUMBER - 1).unwrap(), parent);
}

#[test]
fn the_default_chain_never_changes() {
    // Recorded results name the default chain: a change of its bytes makes them another chain's.
    let hash = chain(ChainConfig::default()).blocks.last().unwrap().header.hash_slow();
    assert_eq!(hash, b256!("2c3fb91cb14b47e01cb523b33d93415968ab5237dd601e20c1a754ec5276497e"));
}
