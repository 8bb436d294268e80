//! Chains of every workload, small enough for many tests.

use tandem_workload::{Chain, ChainConfig, Genesis, Proposal, Workload};

/// The base fee that the blocks are proposed for, in wei per gas.
pub(crate) const BASE_FEE: u64 = 1_000_000_000;

pub(crate) fn config(workload: Workload) -> ChainConfig {
    ChainConfig::default()
        .with_workload(workload)
        .with_blocks(4)
        .with_transactions(50)
        .with_accounts(60)
        .with_population(300)
        .with_slots(1_000)
}

/// The genesis of a chain, and its blocks.
pub(crate) fn chain(config: &ChainConfig) -> (Genesis, Vec<Proposal>) {
    let Chain { genesis, mut proposer } = Chain::new(config).expect("a chain");
    let blocks = (0..config.blocks).map(|_| proposer.propose(BASE_FEE).expect("a block")).collect();
    (genesis, blocks)
}
