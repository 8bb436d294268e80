//! Loading a genesis: there is no head until it is complete, and an interrupted attempt is cleared away.

use super::support::{
    disk::{Disk, Fault},
    dump::dump,
    open,
    scenario::{CONFIG, Scenario},
};
use alloy_primitives::B256;
use tandem_state::{
    database::{DatabaseError, check},
    trie::NodeUpdates,
};

#[test]
fn there_is_no_head_until_the_genesis_is_complete() {
    let scenario = Scenario::new(1, 1, 1);
    let database = open(&Disk::default()).unwrap();
    assert_eq!(database.head().unwrap(), None);
    assert_eq!(database.snapshot().unwrap().genesis(), None);
    let hash = scenario.genesis.hash_slow();
    let mut loader = database.begin_genesis(hash, CONFIG).unwrap();
    loader.load(&scenario.genesis_leaves, &scenario.genesis_nodes, &scenario.genesis_codes).unwrap();
    assert_eq!(database.head().unwrap(), None);
    assert_eq!(database.snapshot().unwrap().genesis(), Some(hash));
    assert!(matches!(database.commit(&scenario.batches[0]), Err(DatabaseError::NoGenesis)));
    assert!(matches!(check::check(&database.snapshot().unwrap(), |_| {}), Err(DatabaseError::NoGenesis)));
    loader.finish(scenario.genesis.clone()).unwrap();
    assert_eq!(database.head().unwrap().unwrap().hash, hash);
    database.commit(&scenario.batches[0]).unwrap();
}

#[test]
fn an_interrupted_genesis_leaves_nothing_behind() {
    let (other, scenario) = (Scenario::new(2, 1, 1), Scenario::new(3, 2, 1));
    let disk = Disk::default();
    let database = open(&disk).unwrap();
    let mut loader = database.begin_genesis(other.genesis.hash_slow(), b"other").unwrap();
    loader.load(&other.genesis_leaves, &other.genesis_nodes, &[(B256::ZERO, CONFIG.into())]).unwrap();
    drop(database);

    let database = open(&disk).unwrap();
    assert_eq!(database.head().unwrap(), None);
    scenario.load_all(&database);
    check::check(&database.snapshot().unwrap(), |_| {}).unwrap();

    let fresh = Disk::default();
    scenario.load_all(&open(&fresh).unwrap());
    assert!(dump(&disk) == dump(&fresh));
}

#[test]
fn a_genesis_is_loaded_once() {
    let scenario = Scenario::new(4, 1, 1);
    let database = open(&Disk::default()).unwrap();
    scenario.load_all(&database);
    let hash = scenario.genesis.hash_slow();
    let error = database.begin_genesis(hash, CONFIG).unwrap_err();
    assert!(matches!(error, DatabaseError::HasGenesis(found) if found == hash), "{error}");
    let wanted = B256::repeat_byte(3);
    let error = database.begin_genesis(wanted, CONFIG).unwrap_err();
    assert!(
        matches!(error, DatabaseError::Genesis { found, wanted: other } if found == hash && other == wanted)
    );
    assert_eq!(database.head().unwrap().unwrap().number, 1);
}

#[test]
fn a_genesis_ends_with_the_header_it_began_with() {
    let scenario = Scenario::new(5, 1, 1);
    let database = open(&Disk::default()).unwrap();
    let loader = database.begin_genesis(B256::repeat_byte(1), CONFIG).unwrap();
    let error = loader.finish(scenario.genesis).unwrap_err();
    assert!(matches!(error, DatabaseError::Genesis { .. }), "{error}");
    assert_eq!(database.head().unwrap(), None);
}

#[test]
fn a_failure_while_loading_is_survived_wherever_it_strikes() {
    let scenario = Scenario::new(6, 1, 1);
    let empty = Disk::default();
    drop(open(&empty).unwrap());
    let empty = empty.bytes();
    for n in 0.. {
        let disk = Disk::new(empty.clone());
        disk.fail_at(n, Fault::Everything);
        let result = open(&disk).and_then(|database| {
            let mut loader = database.begin_genesis(scenario.genesis.hash_slow(), CONFIG)?;
            loader.load(&scenario.genesis_leaves, &NodeUpdates::default(), &scenario.genesis_codes)?;
            loader.load(&Default::default(), &scenario.genesis_nodes, &[])?;
            loader.finish(scenario.genesis.clone())
        });
        if !disk.struck() {
            assert!(n > 40);
            break;
        }
        let database = open(&Disk::new(disk.bytes())).unwrap();
        if database.head().unwrap().is_none() {
            assert!(result.is_err());
            scenario.load_genesis(&database);
        }
        database.commit(&scenario.batches[0]).unwrap();
        check::check(&database.snapshot().unwrap(), |_| {}).unwrap();
    }
}
