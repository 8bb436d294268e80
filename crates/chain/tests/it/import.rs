//! Importing a chain into a database, going back, and importing again.
#![allow(clippy::unwrap_used)]

use std::fs::File;
use std::path::{Path, PathBuf};
use tandem_chain::Genesis;
use tandem_chain::import::{ImportError, ImportOptions, ImportReport, import, initialize, unwind};
use tandem_state::database::check::check;
use tandem_state::database::{Database, DatabaseOptions, Head};

/// The folder of the recorded chain, if it is there.
fn chain() -> Option<PathBuf> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/chain");
    if dir.is_dir() {
        return Some(dir);
    }
    assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "{} is absent", dir.display());
    println!("skipped: {} is absent", dir.display());
    None
}

fn open(dir: &Path, chain: &Path) -> Database {
    let database = Database::open(dir, &DatabaseOptions::new()).unwrap();
    let genesis = Genesis::read(File::open(chain.join("genesis.json")).unwrap()).unwrap();
    initialize(&database, genesis).unwrap();
    database
}

fn run(
    database: &Database,
    file: PathBuf,
    options: &ImportOptions,
) -> (ImportReport, Result<(), ImportError>) {
    import(database, vec![file], options, &|_| ())
}

fn head(database: &Database) -> Head {
    database.head().unwrap().unwrap()
}

#[test]
fn every_way_of_importing_ends_at_the_same_head() {
    let Some(chain) = chain() else { return };
    let mut heads = Vec::new();
    for threads in [1, 2, 4, 8] {
        for (segment, batch_blocks, trie_nodes, prefetch) in
            [(20_000, 256, 1 << 20, 2), (1, 1, 0, 0), (7, 3, 10, 1)]
        {
            for serial in [false, true] {
                let dir = tempfile::tempdir().unwrap();
                let database = open(dir.path(), &chain);
                let options = ImportOptions {
                    threads,
                    segment,
                    batch_blocks,
                    trie_nodes,
                    prefetch,
                    serial,
                    ..Default::default()
                };
                let (report, result) = run(&database, chain.join("chain.rlp"), &options);
                result.unwrap();
                assert_eq!(report.blocks, head(&database).number);
                let snapshot = database.snapshot().unwrap();
                assert_eq!(check(&snapshot, |_| ()).unwrap().state_root, head(&database).state_root);
                heads.push(head(&database));
            }
        }
    }
    assert!(heads[0].number > 40);
    assert!(heads.iter().all(|head| *head == heads[0]));
}

#[test]
fn blocks_are_taken_back_and_imported_again() {
    let Some(chain) = chain() else { return };
    let dir = tempfile::tempdir().unwrap();
    let database = open(dir.path(), &chain);
    let options = ImportOptions { threads: 2, ..Default::default() };
    run(&database, chain.join("chain.rlp"), &options).1.unwrap();
    let last = head(&database);
    for to in (0..last.number).rev().step_by(5) {
        assert_eq!(unwind(&database, to).unwrap().number, to);
        check(&database.snapshot().unwrap(), |_| ()).unwrap();
        let (report, result) = run(&database, chain.join("chain.rlp"), &options);
        result.unwrap();
        assert_eq!((report.known, report.blocks), (to, last.number - to));
        assert_eq!(head(&database), last);
    }
    check(&database.snapshot().unwrap(), |_| ()).unwrap();
}
