use super::disk::Disk;
use redb::{Database, Key, ReadTransaction, ReadableDatabase, ReadableTable, TableDefinition, Value};
use std::{collections::BTreeMap, fmt::Debug};

type Bytes = &'static [u8];
type Hash = &'static [u8; 32];

/// Every row of every table, printed.
pub(crate) type Dump = BTreeMap<(&'static str, String), String>;

/// Reads the tables as they lie in the storage, without any of the code under test.
pub(crate) fn dump(disk: &Disk) -> Dump {
    let database = Database::builder().create_with_backend(Disk::new(disk.bytes())).unwrap();
    let transaction = database.begin_read().unwrap();
    let mut dump = Dump::new();
    rows::<Hash, Bytes>(&transaction, "accounts", &mut dump);
    rows::<&'static [u8; 64], Bytes>(&transaction, "storage", &mut dump);
    rows::<Hash, Bytes>(&transaction, "codes", &mut dump);
    rows::<Bytes, Bytes>(&transaction, "account_nodes", &mut dump);
    rows::<Bytes, Bytes>(&transaction, "storage_nodes", &mut dump);
    rows::<u64, Bytes>(&transaction, "headers", &mut dump);
    rows::<Hash, u64>(&transaction, "hashes", &mut dump);
    rows::<u64, Bytes>(&transaction, "bodies", &mut dump);
    rows::<u64, Bytes>(&transaction, "receipts", &mut dump);
    rows::<Hash, (u64, u32)>(&transaction, "transactions", &mut dump);
    rows::<u64, Bytes>(&transaction, "undo", &mut dump);
    rows::<&'static str, Bytes>(&transaction, "meta", &mut dump);
    assert_eq!(transaction.list_tables().unwrap().count(), 12);
    dump
}

fn rows<K, V>(transaction: &ReadTransaction, name: &'static str, dump: &mut Dump)
where
    K: Key + 'static,
    V: Value + 'static,
    for<'a> K::SelfType<'a>: Debug,
    for<'a> V::SelfType<'a>: Debug,
{
    let table = transaction.open_table(TableDefinition::<K, V>::new(name)).unwrap();
    for row in table.iter().unwrap() {
        let (key, value) = row.unwrap();
        dump.insert((name, format!("{:?}", key.value())), format!("{:?}", value.value()));
    }
}
