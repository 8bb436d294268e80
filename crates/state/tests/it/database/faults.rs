//! Storage that fails: no failure panics or hides, and none costs more than the commit that it interrupts.

use super::support::{
    disk::{Disk, Fault},
    open, options,
    rng::Rng,
    scenario::Scenario,
};
use tandem_state::database::{Database, DatabaseError, DatabaseOptions, check};

/// A chain of which two batches are stored.
struct Stage {
    scenario: Scenario,
    stored: Vec<u8>,
    options: DatabaseOptions,
}

const STORED: usize = 2;

impl Stage {
    fn new(seed: u64) -> Self {
        let scenario = Scenario::new(seed, 4, 2);
        let disk = Disk::default();
        let database = open(&disk).unwrap();
        scenario.load_genesis(&database);
        for batch in &scenario.batches[..STORED] {
            database.commit(batch).unwrap();
        }
        drop(database);
        Self { scenario, stored: disk.bytes(), options: options() }
    }

    fn disk(&self) -> Disk {
        Disk::new(self.stored.clone())
    }

    /// Opens the database and commits and unwinds until something fails. Returns the number of batches of which it was
    /// said that they are stored, and what failed.
    fn commit_until_failure(&self, disk: &Disk) -> (usize, Result<(), DatabaseError>) {
        let mut stored = STORED;
        let database = match Database::open_with_backend(disk.clone(), &self.options) {
            Ok(database) => database,
            Err(error) => return (stored, Err(error)),
        };
        for batch in &self.scenario.batches[STORED..] {
            if let Err(error) = database.commit(batch) {
                return (stored, Err(error));
            }
            stored += 1;
            // Readers meet the same faults.
            if let Err(error) = database.snapshot().and_then(|snapshot| check::check(&snapshot, |_| {})) {
                return (stored, Err(error));
            }
        }
        (stored, Ok(()))
    }

    /// Opens what is left: it must hold the `stored` batches, or one more, be without fault, and take the rest.
    fn assert_recovers(&self, bytes: Vec<u8>, stored: usize, what: &str) {
        let database = open(&Disk::new(bytes)).unwrap_or_else(|error| panic!("{what}: {error}"));
        let snapshot = database.snapshot().unwrap();
        let head = snapshot.head().unwrap().number as usize;
        let kept = head / 2;
        assert!(
            head.is_multiple_of(2) && (kept == stored || kept == stored + 1),
            "{what}: {stored} -> {head}"
        );
        check::check(&snapshot, |_| {}).unwrap_or_else(|error| panic!("{what}: {error}"));
        self.scenario.states[head].assert_read_by(&snapshot);
        if let Some(batch) = self.scenario.batches.get(kept) {
            database.commit(batch).unwrap_or_else(|error| panic!("{what}: {error}"));
            let snapshot = database.snapshot().unwrap();
            check::check(&snapshot, |_| {}).unwrap_or_else(|error| panic!("{what}, then: {error}"));
        }
    }
}

/// Lets a fault strike at each operation in turn; `recover` says what is left.
fn strike_everywhere(fault: Fault, seed: u64, recover: impl FnMut(&Stage, &Disk, usize, &str)) {
    strike(&Stage::new(seed), fault, 1, recover);
}

/// Lets a fault strike at every `step`-th operation in turn.
fn strike(stage: &Stage, fault: Fault, step: usize, mut recover: impl FnMut(&Stage, &Disk, usize, &str)) {
    let mut strikes = 0;
    for n in (0..).step_by(step) {
        let disk = stage.disk();
        disk.fail_at(n, fault);
        let (stored, result) = stage.commit_until_failure(&disk);
        if !disk.struck() {
            result.unwrap();
            break;
        }
        strikes += 1;
        let what = format!("{fault:?} at operation {n}");
        if let Err(error) = result {
            assert_is_fault(&error, &what);
        }
        recover(stage, &disk, stored, &what);
    }
    assert!(strikes > 90, "{fault:?} struck only {strikes} times");
}

/// The error is about the storage, and says so.
fn assert_is_fault(error: &DatabaseError, what: &str) {
    let fits = matches!(error, DatabaseError::Io { .. } | DatabaseError::Corrupt(_) | DatabaseError::Stopped);
    assert!(fits, "{what}: {error:?}");
    assert!(
        error.to_string().contains("open the database again") || error.to_string().contains("check the disk")
    );
}

fn recover_after_process_death(stage: &Stage, disk: &Disk, stored: usize, what: &str) {
    stage.assert_recovers(disk.bytes(), stored, what);
}

#[test]
fn a_storage_that_dies_keeps_the_last_commit() {
    strike_everywhere(Fault::Everything, 1, recover_after_process_death);
}

#[test]
fn an_operation_that_fails_once_keeps_the_last_commit() {
    strike_everywhere(Fault::Once, 2, recover_after_process_death);
}

#[test]
fn a_storage_that_takes_no_more_writes_keeps_the_last_commit() {
    strike_everywhere(Fault::Writes, 3, recover_after_process_death);
}

#[test]
fn a_storage_that_fails_to_sync_keeps_the_last_commit() {
    strike_everywhere(Fault::Syncs, 4, recover_after_process_death);
}

#[test]
fn reads_that_end_early_are_faults() {
    let mut stage = Stage::new(5);
    // Without a cache everything is read again and again.
    stage.options = options().cache_bytes(0);
    strike(&stage, Fault::ShortReads, 5, recover_after_process_death);
}

#[test]
fn a_full_storage_keeps_the_last_commit_and_says_what_to_do() {
    let stage = Stage::new(6);
    // As many batches as it takes to outgrow what there is.
    let disk = stage.disk();
    disk.fail_at(0, Fault::NoSpace);
    let database = open(&disk).unwrap();
    let mut stored = STORED;
    let scenario = Scenario::new(6, 400, 2);
    let error = loop {
        match database.commit(&scenario.batches[stored]) {
            Ok(_) => stored += 1,
            Err(error) => break error,
        }
    };
    assert!(error.to_string().contains("free some space"), "{error}");
    let error = database.commit(&scenario.batches[stored]).unwrap_err();
    assert!(matches!(error, DatabaseError::Stopped), "{error}");
    drop(database);

    let database = open(&Disk::new(disk.bytes())).unwrap();
    let snapshot = database.snapshot().unwrap();
    assert_eq!(snapshot.head().unwrap().number as usize, 2 * stored);
    check::check(&snapshot, |_| {}).unwrap();
    scenario.states[2 * stored].assert_read_by(&snapshot);
    database.commit(&scenario.batches[stored]).unwrap();
}

#[test]
fn a_power_cut_keeps_the_last_commit_whatever_of_the_rest_was_written() {
    let mut rng = Rng::new(7);
    strike_everywhere(Fault::Everything, 7, |stage, disk, stored, what| {
        for keep in [0, 50, 95] {
            let bytes = disk.bytes_after_power_cut(&mut rng, keep);
            stage.assert_recovers(bytes, stored, &format!("{what}, {keep}% kept"));
        }
    });
}

#[test]
fn a_power_cut_after_a_failed_sync_keeps_the_last_commit() {
    let mut rng = Rng::new(8);
    strike_everywhere(Fault::Syncs, 8, |stage, disk, stored, what| {
        let bytes = disk.bytes_after_power_cut(&mut rng, 50);
        stage.assert_recovers(bytes, stored, what);
    });
}

#[test]
fn a_failed_unwind_leaves_the_head_or_moves_it() {
    let stage = Stage::new(9);
    let unwind = |database: &Database| {
        let snapshot = database.snapshot()?;
        let undo = snapshot.undo_to(1)?;
        let head = snapshot.head().ok_or(DatabaseError::NoGenesis)?;
        let mut trie = tandem_state::trie::StateTrie::new(head.state_root);
        let faulty = |error: &dyn std::fmt::Display| DatabaseError::Internal(error.to_string());
        trie.update(&undo.changes(), &snapshot).map_err(|error| faulty(&error))?;
        trie.finish_block(&snapshot).map_err(|error| faulty(&error))?;
        let nodes = trie.take_nodes().1;
        database.commit_unwind(&tandem_state::database::Unwind { from: head.hash, to: 1, nodes })
    };
    let mut rng = Rng::new(9);
    for n in 0.. {
        let disk = stage.disk();
        disk.fail_at(n, Fault::Everything);
        let done = open(&disk).and_then(|database| unwind(&database));
        if !disk.struck() {
            assert!(n > 20);
            break;
        }
        for bytes in [disk.bytes(), disk.bytes_after_power_cut(&mut rng, 50)] {
            let database = open(&Disk::new(bytes)).unwrap();
            let snapshot = database.snapshot().unwrap();
            let head = snapshot.head().unwrap().number;
            assert!(head == 1 || (head == 4 && done.is_err()), "operation {n}: {head}, {done:?}");
            check::check(&snapshot, |_| {}).unwrap();
            stage.scenario.states[head as usize].assert_read_by(&snapshot);
        }
    }
}

#[test]
fn a_dead_storage_does_not_hinder_closing() {
    let stage = Stage::new(10);
    let disk = stage.disk();
    let database = open(&disk).unwrap();
    let snapshot = database.snapshot().unwrap();
    disk.fail_at(0, Fault::Everything);
    database.commit(&stage.scenario.batches[STORED]).unwrap_err();
    drop(database);
    drop(snapshot);
    stage.assert_recovers(disk.bytes(), STORED, "closed on a dead storage");
}
