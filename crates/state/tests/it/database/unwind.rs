//! Every block can be taken back, and the state after every block can be asked for.

use super::support::{
    disk::Disk,
    dump::{Dump, dump},
    open,
    scenario::Scenario,
};
use alloy_primitives::{Address, B256, U256};
use tandem_state::{
    database::{Database, DatabaseError, Unwind, check},
    trie::StateTrie,
};

/// The unwind to block `to`, its nodes computed from what the database says.
fn unwind_to(database: &Database, to: u64) -> Unwind {
    let snapshot = database.snapshot().unwrap();
    let head = snapshot.head().unwrap();
    let mut trie = StateTrie::new(head.state_root);
    let undo = snapshot.undo_to(to).unwrap();
    trie.update(&undo.changes(), &snapshot).unwrap();
    let (root, leaves) = trie.finish_block(&snapshot).unwrap();
    assert_eq!(root, snapshot.header(to).unwrap().unwrap().state_root);
    // The trie finds the same leaves, but for those that only pass through another value.
    for account in leaves.accounts {
        assert!(undo.leaves().accounts.contains(&account));
    }
    Unwind { from: head.hash, to, nodes: trie.take_nodes().1 }
}

/// Commits block by block and dumps the tables after each.
fn history(scenario: &Scenario, disk: &Disk) -> Vec<Dump> {
    let database = open(disk).unwrap();
    scenario.load_genesis(&database);
    let mut dumps = vec![dump(disk)];
    for batch in &scenario.batches {
        database.commit(batch).unwrap();
        dumps.push(dump(disk));
    }
    dumps
}

#[test]
fn an_unwind_to_any_block_gives_exactly_the_tables_after_it() {
    for seed in 0..6 {
        let scenario = Scenario::new(seed, 12, 1);
        let disk = Disk::default();
        let dumps = history(&scenario, &disk);
        for to in 0..scenario.last() {
            let copy = Disk::new(disk.bytes());
            let database = open(&copy).unwrap();
            let stats = database.commit_unwind(&unwind_to(&database, to)).unwrap();
            assert_eq!(stats.blocks, scenario.last() - to);
            check::check(&database.snapshot().unwrap(), |_| {}).unwrap();
            drop(database);
            assert!(dump(&copy) == dumps[to as usize], "seed {seed}, unwind to {to}");
        }
    }
}

#[test]
fn blocks_can_be_taken_back_one_by_one_and_committed_again() {
    let scenario = Scenario::new(11, 10, 1);
    let disk = Disk::default();
    let dumps = history(&scenario, &disk);
    let database = open(&disk).unwrap();
    for to in (0..scenario.last()).rev() {
        database.commit_unwind(&unwind_to(&database, to)).unwrap();
        scenario.states[to as usize].assert_read_by(&database.snapshot().unwrap());
        assert!(dump(&disk) == dumps[to as usize]);
    }
    for batch in &scenario.batches {
        database.commit(batch).unwrap();
    }
    assert!(dump(&disk) == *dumps.last().unwrap());
}

#[test]
fn blocks_of_one_batch_can_be_taken_back_singly() {
    let scenario = Scenario::new(12, 3, 5);
    let database = open(&Disk::default()).unwrap();
    scenario.load_all(&database);
    for to in [13, 12, 8, 7, 1, 0] {
        database.commit_unwind(&unwind_to(&database, to)).unwrap();
        let snapshot = database.snapshot().unwrap();
        scenario.states[to as usize].assert_read_by(&snapshot);
        assert_eq!(snapshot.head().unwrap().number, to);
        assert_eq!(snapshot.header(to + 1).unwrap(), None);
        check::check(&snapshot, |_| {}).unwrap();
    }
}

#[test]
fn the_state_after_every_block_can_be_asked_for() {
    for seed in 20..26 {
        let scenario = Scenario::new(seed, 5, 1 + seed % 4);
        let database = open(&Disk::default()).unwrap();
        scenario.load_all(&database);
        let snapshot = database.snapshot().unwrap();
        for (number, state) in (0..).zip(&scenario.states) {
            state.assert_remembered_by(&snapshot, number);
        }
    }
}

#[test]
fn blocks_that_are_not_there_are_named() {
    let scenario = Scenario::new(13, 2, 2);
    let database = open(&Disk::default()).unwrap();
    let empty = database.snapshot().unwrap();
    assert!(matches!(empty.undo_to(0), Err(DatabaseError::NoGenesis)));
    assert!(matches!(
        empty.account_at(Address::ZERO, 0),
        Err(DatabaseError::UnknownBlock { number: 0, head: None })
    ));
    scenario.load_all(&database);

    let snapshot = database.snapshot().unwrap();
    let unknown = |result: Result<(), DatabaseError>| {
        let error = result.unwrap_err();
        assert!(matches!(error, DatabaseError::UnknownBlock { number: 5, head: Some(4) }), "{error}");
        assert_eq!(error.to_string(), "the database has no block 5; its last block is 4");
    };
    unknown(snapshot.account_at(Address::ZERO, 5).map(drop));
    unknown(snapshot.storage_at(Address::ZERO, U256::ZERO, 5).map(drop));
    unknown(snapshot.undo(5).map(drop));
    unknown(snapshot.undo_to(5).map(drop));
    assert!(matches!(snapshot.undo(0), Err(DatabaseError::UnknownBlock { number: 0, .. })));

    let mut unwind = unwind_to(&database, 2);
    unwind.to = 5;
    unknown(database.commit_unwind(&unwind).map(drop));
    unwind.to = 2;
    unwind.from = B256::repeat_byte(1);
    let error = database.commit_unwind(&unwind).unwrap_err();
    assert!(matches!(error, DatabaseError::HeadMoved { .. }), "{error}");
    assert_eq!(database.head().unwrap().unwrap().number, 4);
}

#[test]
fn unwinding_to_the_head_changes_nothing() {
    let scenario = Scenario::new(14, 2, 2);
    let disk = Disk::default();
    let database = open(&disk).unwrap();
    scenario.load_all(&database);
    let before = dump(&disk);
    assert_eq!(database.commit_unwind(&unwind_to(&database, 4)).unwrap().blocks, 0);
    assert!(dump(&disk) == before);
}
