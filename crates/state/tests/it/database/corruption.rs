//! Damage: whatever it hits is reported, by its place where that can be told. Nothing panics.

use super::support::{disk::Disk, open, rng::Rng, scenario::Scenario};
use alloy_primitives::{B256, KECCAK256_EMPTY};
use alloy_trie::EMPTY_ROOT_HASH;
use redb::{Key, ReadableTable, ReadableTableMetadata, TableDefinition};
use tandem_state::{
    database::{DatabaseError, check},
    trie::NodeSource,
};

type Bytes = &'static [u8];
type Hash = &'static [u8; 32];
type Slot = &'static [u8; 64];

/// A stored chain, after an orderly close and as a process that died would leave it.
fn stored(scenario: &Scenario) -> [Vec<u8>; 2] {
    let disk = Disk::default();
    let database = open(&disk).unwrap();
    scenario.load_genesis(&database);
    for batch in &scenario.batches[..3] {
        database.commit(batch).unwrap();
    }
    let left = disk.bytes();
    drop(database);
    [disk.bytes(), left]
}

#[test]
fn damage_anywhere_is_reported_or_hits_nothing() {
    let scenario = Scenario::new(1, 4, 2);
    let whole = stored(&scenario);
    let use_it = |bytes| -> Result<(), DatabaseError> {
        let database = open(&Disk::new(bytes))?;
        check::check(&database.snapshot()?, |_| {})?;
        database.stats()?;
        database.commit(&scenario.batches[3])?;
        check::check(&database.snapshot()?, |_| {})?;
        Ok(())
    };
    let mut rng = Rng::new(3);
    let (mut fine, mut reported) = (0, 0);
    for round in 0..600 {
        let mut bytes = whole[round % 2].clone();
        let used = loop {
            let index = rng.below(bytes.len() as u64) as usize;
            if bytes[index] != 0 {
                break index;
            }
        };
        match rng.below(4) {
            0 => bytes[used] ^= 1 << rng.below(8),
            1 => bytes[used] = rng.next() as u8,
            2 => bytes[used & !511..][..512].iter_mut().for_each(|byte| *byte = rng.next() as u8),
            _ => bytes.truncate(used),
        }
        match use_it(bytes) {
            Ok(()) => fine += 1,
            Err(_) => reported += 1,
        }
    }
    assert!(fine > 50 && reported > 50, "{fine} fine, {reported} reported");
}

/// Changes a table behind the database's back, and returns what the check says of it.
fn tampered<K: Key + 'static>(
    scenario: &Scenario,
    table: &str,
    tamper: impl FnOnce(&mut redb::Table<'_, K, Bytes>),
) -> String {
    let disk = Disk::new(stored(scenario)[0].clone());
    let engine = redb::Database::builder().create_with_backend(disk.clone()).unwrap();
    let transaction = engine.begin_write().unwrap();
    tamper(&mut transaction.open_table(TableDefinition::new(table)).unwrap());
    transaction.commit().unwrap();
    drop(engine);
    let database = open(&disk).unwrap();
    let error = check::check(&database.snapshot().unwrap(), |_| {}).unwrap_err();
    assert!(matches!(error, DatabaseError::Inconsistent(_)), "{error:?}");
    error.to_string()
}

fn says(message: &str, parts: &[&str]) {
    for part in parts {
        assert!(message.contains(part), "{part:?} is not in: {message}");
    }
}

#[test]
fn the_check_names_an_account_whose_slots_do_not_fit() {
    let scenario = Scenario::new(2, 4, 2);
    let mut key = [0; 64];
    let message = tampered::<Slot>(&scenario, "storage", |table| {
        key = *table.first().unwrap().unwrap().0.value();
        table.insert(&key, [9; 3].as_slice()).unwrap();
    });
    says(
        &message,
        &["the slots of account", &B256::from_slice(&key[..32]).to_string(), "while its row states"],
    );

    let message = tampered::<Slot>(&scenario, "storage", |table| {
        key = *table.last().unwrap().unwrap().0.value();
        table.remove(&key).unwrap();
    });
    says(&message, &["the slots of account", &B256::from_slice(&key[..32]).to_string()]);

    for byte in [0, 0xff] {
        let message = tampered::<Slot>(&scenario, "storage", |table| {
            drop(table.insert(&[byte; 64], [1].as_slice()).unwrap());
        });
        says(&message, &["there is a slot", &B256::repeat_byte(byte).to_string(), "does not exist"]);
    }
}

#[test]
fn the_check_notices_a_changed_a_missing_and_an_additional_account() {
    let scenario = Scenario::new(3, 4, 2);
    let account = alloy_trie::TrieAccount {
        nonce: 77,
        storage_root: EMPTY_ROOT_HASH,
        code_hash: KECCAK256_EMPTY,
        ..Default::default()
    };
    let row = alloy_rlp::encode(account);
    let message = tampered::<Hash>(&scenario, "accounts", |table| {
        drop(table.insert(&[5; 32], row.as_slice()).unwrap());
    });
    says(&message, &["the accounts have the root", "while the head's header states"]);

    let mut key = [0; 32];
    let without_storage = |table: &redb::Table<'_, Hash, Bytes>| {
        let empty = |row: &[u8]| row.windows(32).any(|window| window == EMPTY_ROOT_HASH);
        let mut rows = table.iter().unwrap().map(Result::unwrap);
        rows.find(|(_, row)| empty(row.value())).map(|(key, _)| *key.value()).unwrap()
    };
    let message = tampered::<Hash>(&scenario, "accounts", |table| {
        key = without_storage(table);
        table.remove(&key).unwrap();
    });
    says(&message, &["the accounts have the root"]);
    let message = tampered::<Hash>(&scenario, "accounts", |table| {
        key = without_storage(table);
        table.insert(&key, [0xc1].as_slice()).unwrap();
    });
    says(&message, &["account", &B256::new(key).to_string(), "malformed"]);
}

#[test]
fn the_check_notices_stale_missing_and_changed_nodes() {
    let scenario = Scenario::new(4, 4, 2);
    let message = tampered::<Bytes>(&scenario, "account_nodes", |table| {
        drop(table.insert([9, 9, 9, 9].as_slice(), [0xc0].as_slice()).unwrap());
    });
    says(
        &message,
        &["the trie of accounts has, at the path 9999, an inner node that its parent does not name"],
    );

    let message = tampered::<Bytes>(&scenario, "account_nodes", |table| {
        table.remove([].as_slice()).unwrap().unwrap();
    });
    says(&message, &["the trie of accounts has, at its root, a leaf that is not the one"]);

    for index in 0..3 {
        let mut place = Vec::new();
        let message = tampered::<Bytes>(&scenario, "storage_nodes", |table| {
            let length = table.len().unwrap() as usize;
            place = table.iter().unwrap().nth(index * (length - 1) / 2).unwrap().unwrap().0.value().to_vec();
            let mut row = table.get(place.as_slice()).unwrap().unwrap().value().to_vec();
            *row.last_mut().unwrap() ^= 1;
            table.insert(place.as_slice(), row.as_slice()).unwrap();
        });
        let owner = B256::from_slice(&place[..32]).to_string();
        says(
            &message,
            &["the storage trie of", &owner, "an inner node that is not the one that its parent names"],
        );
    }
    for owner in [0, 0x80, 0xff] {
        let message = tampered::<Bytes>(&scenario, "storage_nodes", |table| {
            drop(table.insert([owner; 32].as_slice(), [0xc0].as_slice()).unwrap());
        });
        says(&message, &["storage trie"]);
    }
}

#[test]
fn the_check_notices_what_is_wrong_with_blocks_and_codes() {
    let scenario = Scenario::new(5, 4, 2);
    for table in ["headers", "bodies", "receipts", "undo"] {
        for number in [1, 3, 5] {
            let message =
                tampered::<u64>(&scenario, table, |table| drop(table.remove(number).unwrap().unwrap()));
            says(&message, &["block", "import again"]);
        }
        let message = tampered::<u64>(&scenario, table, |table| {
            drop(table.insert(7, [0xc0].as_slice()).unwrap());
        });
        says(&message, &["import again"]);
    }
    let message = tampered::<Hash>(&scenario, "codes", |table| {
        let key = *table.first().unwrap().unwrap().0.value();
        table.insert(&key, [1].as_slice()).unwrap();
    });
    says(&message, &["the code with hash", "is another one"]);
    let mut hash = [0; 32];
    let message = tampered::<Hash>(&scenario, "codes", |table| {
        hash = *table.first().unwrap().unwrap().0.value();
        table.remove(&hash).unwrap();
    });
    says(&message, &["has the code", &B256::new(hash).to_string(), "which is missing"]);
}

#[test]
fn a_wrong_node_is_a_fault_that_names_its_place() {
    let scenario = Scenario::new(6, 4, 2);
    let database = open(&Disk::new(stored(&scenario)[0].clone())).unwrap();
    let snapshot = database.snapshot().unwrap();
    let root = snapshot.head().unwrap().state_root;
    let node = snapshot.node(None, &Default::default(), root).unwrap().unwrap();
    assert_eq!(alloy_primitives::keccak256(node), root);
    let error = snapshot.node(None, &Default::default(), B256::ZERO).unwrap_err();
    says(&error.to_string(), &["the trie of accounts has, at its root, not the node with hash 0x00"]);
    let owner = B256::repeat_byte(0xee);
    let path = alloy_trie::Nibbles::from_nibbles([1, 0xa]);
    let error = snapshot.node(Some(owner), &path, root).unwrap_err();
    says(&error.to_string(), &[&format!("the storage trie of {owner} has, at the path 1a, no node")]);
}
