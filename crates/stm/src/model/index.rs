use super::check;
use crate::index::Index;
use crate::sync::atomic::{AtomicU32, Ordering};
use loom::thread::spawn;
use std::sync::Arc;

/// The number of keys that fills half of both parts of the first table.
const HALF: u32 = 4;

/// An index with the keys of its ids. Nothing but the index orders their stores.
struct Keys {
    index: Index,
    keys: [AtomicU32; 8],
    len: AtomicU32,
}

/// Leads to few probes, in one part or the other.
fn hash(key: u32) -> u64 {
    u64::from(key) << 32 | u64::from(key % 2) << 63
}

impl Keys {
    fn new(keys: impl IntoIterator<Item = u32>) -> Arc<Self> {
        let new = Self { index: Index::default(), keys: Default::default(), len: AtomicU32::new(0) };
        for key in keys {
            new.intern(key);
        }
        Arc::new(new)
    }

    fn key(&self, id: u32) -> u32 {
        let key = self.keys[id as usize].load(Ordering::Relaxed);
        assert!(key > 0, "an id was found before its key");
        key
    }

    fn get(&self, key: u32) -> Option<u32> {
        self.index.get(hash(key), |id| self.key(id) == key)
    }

    fn intern(&self, key: u32) -> u32 {
        let insert = || {
            let id = self.len.fetch_add(1, Ordering::Relaxed);
            self.keys[id as usize].store(key, Ordering::Relaxed);
            id
        };
        self.get(key).unwrap_or_else(|| {
            let is_key = |id| self.key(id) == key;
            self.index.get_or_insert(hash(key), is_key, insert)
        })
    }
}

#[test]
fn equal_keys_get_one_id() {
    check(9, || {
        let keys = Keys::new([]);
        let other = {
            let keys = keys.clone();
            spawn(move || [1, 2].map(|key| keys.intern(key)))
        };
        let [second, first] = [2, 1].map(|key| keys.intern(key));
        assert_eq!(other.join().expect("it does not panic"), [first, second]);
        assert_eq!(keys.len.load(Ordering::SeqCst), 2);
    });
}

#[test]
fn growing_loses_nothing() {
    check(9, || {
        let keys = Keys::new(1..=HALF);
        let other = {
            let keys = keys.clone();
            spawn(move || keys.intern(HALF + 1))
        };
        // Inserted before the growth, so both tables have it.
        assert!(keys.get(2).is_some());
        keys.intern(HALF + 2);
        assert!(keys.get(HALF + 2).is_some());
        let id = other.join().expect("it does not panic");
        assert_eq!(keys.get(HALF + 1), Some(id));
        assert!((1..=HALF + 2).all(|key| keys.get(key).is_some()));
    });
}

#[test]
fn what_is_inserted_while_the_table_grows_is_kept() {
    check(9, || {
        // Half of the part of even keys, and less of the other.
        let keys = Keys::new([1, 2, 4]);
        let other = {
            let keys = keys.clone();
            spawn(move || keys.intern(6))
        };
        keys.intern(3);
        let id = other.join().expect("it does not panic");
        assert_eq!(keys.get(6), Some(id));
        assert!((1..=4).all(|key| keys.get(key).is_some()));
    });
}
