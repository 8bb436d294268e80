//! Committed blocks are read back.

use super::support::{
    disk::Disk,
    open,
    scenario::{CONFIG, Scenario},
};
use alloy_primitives::{Address, B256, U256, keccak256};
use std::collections::BTreeMap;
use tandem_state::{
    Store,
    database::{Batch, Database, DatabaseError, check},
    trie::{HashedChanges, StateTrie},
};

fn loaded(scenario: &Scenario) -> Database {
    let database = open(&Disk::default()).unwrap();
    scenario.load_all(&database);
    database
}

#[test]
fn every_part_of_a_block_reads_back() {
    let scenario = Scenario::new(1, 3, 4);
    let snapshot = loaded(&scenario).snapshot().unwrap();
    for block in scenario.blocks() {
        let number = block.header.number;
        assert_eq!(snapshot.header(number).unwrap().as_ref(), Some(&block.header));
        assert_eq!(snapshot.body(number).unwrap().as_ref(), Some(&block.body));
        assert_eq!(snapshot.receipts(number).unwrap().as_ref(), Some(&block.receipts));
        assert_eq!(snapshot.block_number(block.hash).unwrap(), Some(number));
        assert_eq!(snapshot.block_hash(number).unwrap(), block.hash);
        for (index, transaction) in (0..).zip(&block.body.transactions) {
            assert_eq!(snapshot.find_transaction(*transaction.tx_hash()).unwrap(), Some((number, index)));
        }
    }
    let last = scenario.blocks().last().unwrap();
    let head = snapshot.head().unwrap();
    assert_eq!((head.number, head.hash, head.state_root), (12, last.hash, last.header.state_root));
    assert_eq!(snapshot.genesis(), Some(scenario.genesis.hash_slow()));
    assert_eq!(*snapshot.config().unwrap().unwrap(), *CONFIG);

    assert_eq!(snapshot.header(13).unwrap(), None);
    assert_eq!(snapshot.body(13).unwrap(), None);
    assert_eq!(snapshot.receipts(13).unwrap(), None);
    assert_eq!(snapshot.block_hash(13).unwrap(), B256::ZERO);
    assert_eq!(snapshot.block_number(B256::ZERO).unwrap(), None);
    assert_eq!(snapshot.find_transaction(B256::ZERO).unwrap(), None);
}

#[test]
fn the_state_after_each_batch_is_read_and_passes_the_check() {
    for seed in 0..10 {
        let scenario = Scenario::new(seed, 6, 1 + seed % 3);
        let database = open(&Disk::default()).unwrap();
        scenario.load_genesis(&database);
        let mut number = 0;
        for batch in &scenario.batches {
            scenario.states[number].assert_read_by(&database.snapshot().unwrap());
            let stats = database.commit(batch).unwrap();
            number += batch.blocks.len();
            assert_eq!(stats.blocks, batch.blocks.len() as u64);
        }
        let snapshot = database.snapshot().unwrap();
        let state = &scenario.states[number];
        state.assert_read_by(&snapshot);
        let report = check::check(&snapshot, |_| {}).unwrap();
        assert_eq!(report.state_root, database.head().unwrap().unwrap().state_root);
        assert_eq!(report.accounts, state.accounts.len() as u64);
        assert_eq!(report.slots, state.storage.len() as u64);
        assert_eq!(report.blocks, number as u64 + 1);
        assert_eq!(report.state_root, check::recompute_root(&snapshot, |_| {}).unwrap());
    }
}

#[test]
fn iteration_is_complete_and_in_the_order_of_the_hashes() {
    let scenario = Scenario::new(2, 4, 3);
    let snapshot = loaded(&scenario).snapshot().unwrap();
    let state = scenario.states.last().unwrap();
    let mut expected: BTreeMap<B256, BTreeMap<B256, U256>> =
        state.accounts.keys().map(|address| (keccak256(address), BTreeMap::new())).collect();
    for ((address, slot), value) in &state.storage {
        let slots = expected.get_mut(&keccak256(address)).unwrap();
        slots.insert(keccak256(slot.to_be_bytes::<32>()), *value);
    }
    let accounts: Vec<_> = snapshot.accounts().unwrap().map(Result::unwrap).collect();
    assert!(accounts.iter().map(|(key, _)| key).eq(expected.keys()));
    for (key, account) in accounts {
        let slots: Vec<_> = snapshot.slots(key).unwrap().map(Result::unwrap).collect();
        assert!(slots.iter().copied().eq(expected[&key].iter().map(|(slot, value)| (*slot, *value))));
        let root = alloy_trie::root::storage_root(slots.iter().copied());
        assert_eq!(root, account.storage_root);
    }
}

#[test]
fn a_snapshot_stays_as_it_is_and_keeps_the_database_open() {
    let scenario = Scenario::new(3, 5, 2);
    let database = open(&Disk::default()).unwrap();
    scenario.load_genesis(&database);
    let early = database.snapshot().unwrap();
    for batch in &scenario.batches {
        database.commit(batch).unwrap();
    }
    drop(database);
    scenario.states[0].assert_read_by(&early);
    assert_eq!(early.head().unwrap().number, 0);
    assert_eq!(early.header(1).unwrap(), None);
}

#[test]
fn a_trie_that_knows_only_its_root_finds_the_nodes_it_needs() {
    for seed in 0..10 {
        let scenario = Scenario::new(100 + seed, 12, 1);
        let database = open(&Disk::default()).unwrap();
        scenario.load_genesis(&database);
        for (batch, changes) in scenario.batches.iter().zip(&scenario.changes) {
            let snapshot = database.snapshot().unwrap();
            let mut trie = StateTrie::new(snapshot.head().unwrap().state_root);
            trie.update(&HashedChanges::new(changes), &snapshot).unwrap();
            let (root, leaves) = trie.finish_block(&snapshot).unwrap();
            assert_eq!(root, batch.blocks[0].header.state_root);
            assert_eq!(leaves, batch.blocks[0].leaves);
            let (_, nodes) = trie.take_nodes();
            database.commit(&Batch { blocks: batch.blocks.clone(), nodes }).unwrap();
            check::check(&database.snapshot().unwrap(), |_| {}).unwrap();
        }
    }
}

#[test]
fn many_threads_read_one_snapshot() {
    let scenario = Scenario::new(4, 3, 3);
    let database = loaded(&scenario);
    let snapshot = database.snapshot().unwrap();
    let state = scenario.states.last().unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| state.assert_read_by(&snapshot));
        }
    });
}

#[test]
fn a_block_that_does_not_follow_the_head_changes_nothing() {
    let scenario = Scenario::new(5, 3, 2);
    let database = open(&Disk::default()).unwrap();
    let error = database.commit(&scenario.batches[0]).unwrap_err();
    assert!(matches!(error, DatabaseError::NoGenesis), "{error}");
    scenario.load_genesis(&database);
    database.commit(&scenario.batches[0]).unwrap();

    let mut gap = scenario.batches[1].clone();
    gap.blocks.remove(0);
    let mut broken = scenario.batches[1].clone();
    broken.blocks[1].header.parent_hash = B256::repeat_byte(1);
    for wrong in [&scenario.batches[0], &scenario.batches[2], &gap, &broken] {
        let error = database.commit(wrong).unwrap_err();
        assert!(matches!(error, DatabaseError::NotNext { .. }), "{error}");
        assert_eq!(database.head().unwrap().unwrap().number, 2);
    }
    scenario.states[2].assert_read_by(&database.snapshot().unwrap());
    database.commit(&scenario.batches[1]).unwrap();
    check::check(&database.snapshot().unwrap(), |_| {}).unwrap();
}

#[test]
fn a_missing_code_is_a_fault_that_names_it() {
    let database = loaded(&Scenario::new(6, 1, 1));
    let hash = B256::repeat_byte(9);
    let error = database.snapshot().unwrap().code(hash).unwrap_err();
    assert!(error.to_string().contains(&hash.to_string()), "{error}");
    assert_eq!(database.snapshot().unwrap().account(Address::repeat_byte(0xee)).unwrap(), None);
}

#[test]
fn stats_count_rows_and_bytes() {
    let scenario = Scenario::new(7, 2, 3);
    let database = loaded(&scenario);
    let stats = database.stats().unwrap();
    let rows = |name| stats.tables.iter().find(|table| table.name == name).unwrap().rows;
    let state = scenario.states.last().unwrap();
    assert_eq!(stats.tables.len(), 12);
    assert_eq!(rows("accounts"), state.accounts.len() as u64);
    assert_eq!(rows("storage"), state.storage.len() as u64);
    assert_eq!(rows("headers"), 7);
    assert_eq!(rows("undo"), 6);
    for table in &stats.tables {
        assert!(table.rows == 0 || table.stored_bytes > 0, "{table:?}");
        assert!(table.stored_bytes <= table.page_bytes, "{table:?}");
    }
    assert_eq!(stats.file_bytes, None);
}
