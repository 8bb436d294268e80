//! Importing onto a storage that fails: the fault is reported as one, never as an invalid block, and costs no more than
//! the commit that it interrupts. `TANDEM_FAULTS` sets how often each kind of fault strikes each kind of import.
#![allow(clippy::unwrap_used)]

mod faulty;

use crate::common::shared;
use faulty::{Disk, Fault};
use std::fs::File;
use std::path::PathBuf;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;
use tandem_chain::Genesis;
use tandem_chain::import::{ImportError, ImportOptions, import, initialize};
use tandem_evm::ExecutionError;
use tandem_state::database::check::check;
use tandem_state::database::{Database, DatabaseOptions, Head};

/// Far more than an import takes.
const TIMEOUT: Duration = Duration::from_secs(120);

/// The recorded chain, and storages that hold a part of it.
struct Stage {
    file: PathBuf,
    /// A storage with the genesis alone.
    genesis: Vec<u8>,
    /// The chain's last block.
    last: Head,
}

/// How an import on a faulty storage ended.
struct Ended {
    result: Result<(), ImportError>,
    /// The database's answer once the fault is gone, if it gives one.
    head: Option<Head>,
}

impl Stage {
    fn new() -> Option<Self> {
        let folder = shared("chain")?;
        let disk = Disk::default();
        let database = open(&disk);
        let genesis = Genesis::read(File::open(folder.join("genesis.json")).unwrap()).unwrap();
        initialize(&database, genesis).unwrap();
        drop(database);
        let (file, genesis) = (folder.join("chain.rlp"), disk.bytes());
        let database = open(&Disk::new(genesis.clone()));
        import(&database, vec![file.clone()], &ImportOptions::default(), &|_| ()).1.unwrap();
        let last = database.head().unwrap().unwrap();
        Some(Self { file, genesis, last })
    }

    /// Operations of an import from genesis to the end without a fault.
    fn operations(&self, options: &ImportOptions) -> u64 {
        let disk = Disk::new(self.genesis.clone());
        let ended = self.import(&disk, options, u64::MAX, Fault::Once);
        ended.result.unwrap();
        assert_eq!(ended.head, Some(self.last));
        disk.operations()
    }

    /// Imports the chain while the fault strikes at the n-th operation. Neither hangs nor panics.
    fn import(&self, disk: &Disk, options: &ImportOptions, n: u64, fault: Fault) -> Ended {
        let (disk, options, file) = (disk.clone(), options.clone(), self.file.clone());
        let (send, receive) = channel();
        let importing = thread::spawn(move || {
            let database = open(&disk);
            disk.fail_at(n, fault);
            let (_, result) = import(&database, vec![file], &options, &|_| ());
            disk.heal();
            let head = database.head().ok().flatten();
            drop(database);
            let _ = send.send(Ended { result, head });
        });
        match receive.recv_timeout(TIMEOUT) {
            Ok(ended) => ended,
            Err(_) if importing.is_finished() => panic!("{fault:?} at operation {n}: a panic"),
            Err(_) => panic!("{fault:?} at operation {n}: the import hangs"),
        }
    }

    /// The rest holds whole blocks of the chain, no fewer than `head`.
    fn assert_whole(&self, bytes: Vec<u8>, head: Option<Head>, what: &str) -> (Database, Head) {
        let database = open(&Disk::new(bytes));
        let snapshot = database.snapshot().unwrap();
        let found = snapshot.head().unwrap();
        assert!(head.is_none_or(|head| head.number <= found.number), "{what}: {head:?} -> {found:?}");
        let report = check(&snapshot, |_| ()).unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_eq!(report.state_root, found.state_root, "{what}");
        (database, found)
    }

    /// The rest is whole, and takes the rest of the chain. Returns the last block that was left.
    fn assert_recovers(&self, bytes: Vec<u8>, head: Option<Head>, what: &str) -> u64 {
        let (database, found) = self.assert_whole(bytes, head, what);
        let options = ImportOptions { threads: 2, ..Default::default() };
        let (report, result) = import(&database, vec![self.file.clone()], &options, &|_| ());
        result.unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_eq!((report.known, report.blocks), (found.number, self.last.number - found.number), "{what}");
        assert_eq!(database.head().unwrap(), Some(self.last), "{what}");
        check(&database.snapshot().unwrap(), |_| ()).unwrap_or_else(|error| panic!("{what}: {error}"));
        found.number
    }

    /// Lets a fault strike at `strikes` operations, from the first to the last one, for each way of importing.
    fn strike(&self, fault: Fault, strikes: u64) {
        for options in ways() {
            let operations = self.operations(&options);
            let (mut struck, mut failed, mut heads) = (0, 0, Vec::new());
            for strike in 0..strikes {
                let n = operations * strike / strikes;
                let disk = Disk::new(self.genesis.clone());
                let ended = self.import(&disk, &options, n, fault);
                let (serial, threads) = (options.serial, options.threads);
                let what = format!("{fault:?} at operation {n}, serial {serial}, {threads} threads");
                struck += u64::from(disk.heal());
                match &ended.result {
                    Ok(()) => assert_eq!(ended.head.unwrap_or(self.last), self.last, "{what}"),
                    Err(error) => {
                        failed += 1;
                        assert!(disk.heal(), "{what}: {error}");
                        assert_is_fault(error, &what);
                    }
                }
                heads.push(self.assert_recovers(disk.bytes(), ended.head, &what));
                self.assert_whole(disk.durable_bytes(), ended.head, &format!("{what}, power cut"));
            }
            println!(
                "{fault:?}, serial {}, {} threads: {operations} operations, {struck} of {strikes} faults \
                 struck, {failed} imports failed, heads {heads:?}",
                options.serial, options.threads
            );
            assert!(2 * struck >= strikes, "{fault:?} struck only {struck} times of {strikes}");
            assert!(failed > 0, "{fault:?} ended none of {strikes} imports");
        }
    }
}

/// Without a page cache, so that the storage is asked often.
fn open(disk: &Disk) -> Database {
    Database::open_with_backend(disk.clone(), &DatabaseOptions::new().cache_bytes(0)).unwrap()
}

/// The ways of importing: overlapped with several numbers of threads, and one stage after the other. Commits are small,
/// and nothing is remembered that can be read again.
fn ways() -> Vec<ImportOptions> {
    let options = ImportOptions {
        segment: 20,
        batch_blocks: 3,
        cache_bytes: 0,
        trie_nodes: 0,
        prefetch: 1,
        ..Default::default()
    };
    let overlapped = [1, 2, 4].map(|threads| ImportOptions { threads, ..options.clone() });
    let serial = ImportOptions { serial: true, threads: 1, ..options };
    overlapped.into_iter().chain([serial]).collect()
}

/// The error blames the storage, not a block.
fn assert_is_fault(error: &ImportError, what: &str) {
    assert!(!error.is_invalid_block(), "{what}: {error:?}");
    let is_fault = match error {
        ImportError::Database(_) | ImportError::Trie(_) => true,
        ImportError::Execution(error) => matches!(**error, ExecutionError::Fault { .. }),
        _ => false,
    };
    assert!(is_fault, "{what}: {error:?}");
}

fn strike(fault: Fault) {
    let strikes = std::env::var("TANDEM_FAULTS").map_or(4, |strikes| strikes.parse().unwrap());
    if let Some(stage) = Stage::new() {
        stage.strike(fault, strikes);
    }
}

#[test]
fn a_storage_that_dies_is_a_fault() {
    strike(Fault::Everything);
}

#[test]
fn an_operation_that_fails_once_is_a_fault() {
    strike(Fault::Once);
}

#[test]
fn a_storage_that_takes_no_more_writes_is_a_fault() {
    strike(Fault::Writes);
}

#[test]
fn a_storage_that_fails_to_sync_is_a_fault() {
    strike(Fault::Syncs);
}

#[test]
fn reads_that_end_early_are_faults() {
    strike(Fault::ShortReads);
}

#[test]
fn a_full_storage_is_a_fault() {
    strike(Fault::NoSpace);
}
