//! Random blocks on the tries and on a database that stores what they report, against tries built from scratch.
#![allow(clippy::unwrap_used)]

use crate::trie_support::{changes::Keys, database::Database, model::Model, rng::Rng};
use alloy_trie::EMPTY_ROOT_HASH;
use rayon::{ThreadPool, ThreadPoolBuilder};
use std::collections::VecDeque;
use tandem_state::trie::{LeafUpdates, NodeUpdates, StateTrie};

/// Small cases; every 64th of them is of middle size.
const CASES: u64 = 10_000;

/// How large a case is.
struct Size {
    blocks: usize,
    addresses: usize,
    slots: usize,
    /// At most, in one chunk.
    changed_accounts: usize,
    changed_slots: usize,
}

const SMALL: Size = Size { blocks: 6, addresses: 8, slots: 12, changed_accounts: 4, changed_slots: 6 };
const MIDDLE: Size = Size { blocks: 6, addresses: 60, slots: 200, changed_accounts: 50, changed_slots: 120 };
const FEW_LARGE: Size =
    Size { blocks: 5, addresses: 3, slots: 40_000, changed_accounts: 3, changed_slots: 30_000 };
const MANY_SMALL: Size =
    Size { blocks: 5, addresses: 4_000, slots: 12, changed_accounts: 3_000, changed_slots: 4 };

#[test]
fn any_blocks_lead_to_the_roots_and_nodes_of_tries_built_from_scratch() {
    let pools = pools();
    for seed in 0..CASES {
        let size = if seed % 64 == 0 { &MIDDLE } else { &SMALL };
        pools[seed as usize % pools.len()].install(|| run_case(seed, size));
    }
}

#[test]
fn large_tries_are_split_between_threads() {
    for (seed, pool) in (CASES..).zip(&pools()) {
        pool.install(|| run_case(seed, &FEW_LARGE));
        pool.install(|| run_case(seed, &MANY_SMALL));
    }
}

fn pools() -> Vec<ThreadPool> {
    let pool = |threads| ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    [1, 2, 4].map(pool).into()
}

/// The tries with the database below them, which lags behind.
struct Chain {
    tries: StateTrie,
    database: Database,
    /// Blocks since nodes were last taken.
    untaken: Vec<LeafUpdates>,
    /// Updates that were taken and are not durable yet.
    queue: VecDeque<(u64, Vec<LeafUpdates>, NodeUpdates)>,
    durable: u64,
}

impl Chain {
    fn take(&mut self) {
        let (epoch, nodes) = self.tries.take_nodes();
        self.queue.push_back((epoch, std::mem::take(&mut self.untaken), nodes));
    }

    fn commit(&mut self) {
        if let Some((epoch, leaves, nodes)) = self.queue.pop_front() {
            leaves.iter().for_each(|leaves| self.database.write_leaves(leaves));
            self.database.write_nodes(&nodes);
            self.durable = epoch;
        }
    }

    fn commit_all(&mut self) {
        self.take();
        while !self.queue.is_empty() {
            self.commit();
        }
    }
}

fn run_case(seed: u64, size: &Size) {
    let rng = &mut Rng::new(seed);
    let keys = Keys::new(rng, size.addresses, size.slots);
    let mut model = Model::default();
    let mut chain = Chain {
        tries: StateTrie::new(EMPTY_ROOT_HASH),
        database: Database::default(),
        untaken: Vec::new(),
        queue: VecDeque::new(),
        durable: 0,
    };
    for block in 0..size.blocks {
        for _ in 0..=rng.below(3) {
            let chunk = keys.chunk(rng, &model, size.changed_accounts, size.changed_slots);
            model.apply(&chunk);
            chain
                .tries
                .update(&chunk, &chain.database)
                .unwrap_or_else(|error| panic!("case {seed}: {error}"));
        }
        let (root, leaves) = chain.tries.finish_block(&chain.database).unwrap();
        assert_eq!(root, model.root(), "case {seed}, block {block}");
        assert_eq!(root, chain.tries.root());
        chain.untaken.push(leaves);

        if rng.percent(70) {
            chain.take();
        }
        while rng.percent(50) && !chain.queue.is_empty() {
            chain.commit();
        }
        if rng.percent(60) {
            let limit = *rng.pick(&[0, 0, 3, 20, 1_000]);
            chain.tries.prune(chain.durable, limit);
        }
        if rng.percent(5) {
            chain.commit_all();
            chain.tries = StateTrie::new(root);
            chain.durable = 0;
        }
        check_reads(seed, &keys, &model, &chain, rng);
    }
    chain.commit_all();
    check_database(seed, &model, &chain.database);
    chain.tries.prune(chain.durable, 0);
    assert_eq!(chain.tries.resident_nodes(), 0, "case {seed}");
    check_reads(seed, &keys, &model, &chain, rng);
}

fn check_reads(seed: u64, keys: &Keys, model: &Model, chain: &Chain, rng: &mut Rng) {
    for _ in 0..3 {
        let address = keys.address(rng);
        let account = model.accounts.get(&address);
        let read = chain.tries.account(address, &chain.database).unwrap();
        assert_eq!(read, account.map(|account| account.leaf()), "case {seed}: {address}");
        let slot = keys.slot(rng);
        let value = account.and_then(|account| account.storage.get(&slot)).copied().unwrap_or_default();
        assert_eq!(chain.tries.storage(address, slot, &chain.database).unwrap(), value, "case {seed}");
    }
}

fn check_database(seed: u64, model: &Model, database: &Database) {
    assert_eq!(database.accounts, model.leaves(), "case {seed}");
    let storages = model.accounts.iter().map(|(address, account)| (*address, account.storage.clone()));
    let storages = storages.filter(|(_, slots)| !slots.is_empty()).collect();
    assert_eq!(database.storages, storages, "case {seed}");
    assert_eq!(database.nodes, model.inner_nodes(), "case {seed}");
}
