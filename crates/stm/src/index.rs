use crate::config::MAX_THREADS;
use crate::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use crate::sync::{MODEL, Mutex};
use std::sync::OnceLock;

/// Words in the first table: 2^12.
const FIRST_LEVEL: u32 = if MODEL { 3 } else { 12 };
/// Tables up to 2^32 words, as many as there can be ids.
const LEVELS: usize = 21;
/// Locks that insertion is spread over.
const SHARDS: usize = if MODEL { 2 } else { 16 };

// Invariant 3. Models have a few threads.
const _: () = assert!(MODEL || MAX_THREADS < 1 << (FIRST_LEVEL - 1));

/// Maps hashes to ids. Insert-only; look-ups take no lock and write nothing.
///
/// A table is an array of words, probed linearly. A word holds the upper half of a hash and an id + 1; zero is free.
/// That half gives the place, so that a word can be placed again without its key. The caller compares keys in full. When
/// a table is half full, the next one, twice as large, receives all its words and takes its place; readers still in the old one may miss what came later, and
/// find it under the lock.
///
/// Invariants:
/// 1. A word, once written, never changes, and every table contains all words of its predecessor.
/// 2. Two equal keys never get two ids: a key is inserted under its shard's lock after a look-up in the newest table,
///    and a table is only replaced under all locks.
/// 3. A table has a free word, or a search would not end: whoever finds a table more than half full takes part in its
///    replacement before it inserts again, and there are fewer threads than words in half a table.
#[derive(Debug)]
pub(crate) struct Index {
    /// Each set once, under all shard locks.
    tables: [OnceLock<Box<[AtomicU64]>>; LEVELS],
    /// The newest table. Written (release) under all shard locks after the table is complete, read (acquire) by all.
    newest: AtomicUsize,
    /// Number of ids inserted. Written under a shard lock; only decides when to grow.
    len: AtomicUsize,
    shards: [Mutex<()>; SHARDS],
}

impl Default for Index {
    fn default() -> Self {
        let index = Self {
            tables: [const { OnceLock::new() }; LEVELS],
            newest: AtomicUsize::new(0),
            len: AtomicUsize::new(0),
            shards: std::array::from_fn(|_| Mutex::new(())),
        };
        index.tables[0].get_or_init(|| table(0));
        index
    }
}

fn table(level: usize) -> Box<[AtomicU64]> {
    std::iter::repeat_with(|| AtomicU64::new(0)).take(1 << (FIRST_LEVEL as usize + level)).collect()
}

fn word(hash: u64, id: u32) -> u64 {
    (hash & 0xffff_ffff_0000_0000) | (u64::from(id) + 1)
}

impl Index {
    fn newest(&self) -> &[AtomicU64] {
        let level = self.newest.load(Ordering::Acquire);
        self.tables[level].get().map_or(&[], |table| table)
    }

    /// Forgets everything but the newest table's memory.
    pub(crate) fn clear(&mut self) {
        for word in self.newest() {
            word.store(0, Ordering::Relaxed);
        }
        self.len.store(0, Ordering::Relaxed);
    }

    /// The id stored under `hash` for which `is_key` holds.
    pub(crate) fn get(&self, hash: u64, is_key: impl Fn(u32) -> bool) -> Option<u32> {
        probe(self.newest(), hash, is_key).ok()
    }

    /// The id stored under `hash` for which `is_key` holds, or else the one that `insert` makes.
    pub(crate) fn get_or_insert(
        &self,
        hash: u64,
        is_key: impl Fn(u32) -> bool,
        insert: impl FnOnce() -> u32,
    ) -> u32 {
        let id = {
            let _guard = self.shards[hash as usize % SHARDS].lock();
            let table = self.newest();
            if let Ok(id) = probe(table, hash, is_key) {
                return id;
            }
            let id = insert();
            place(table, word(hash, id));
            id
        };
        let len = self.len.fetch_add(1, Ordering::Relaxed) + 1;
        if len * 2 > self.newest().len() {
            self.grow();
        }
        id
    }

    fn grow(&self) {
        let _guards: [_; SHARDS] = std::array::from_fn(|i| self.shards[i].lock());
        let level = self.newest.load(Ordering::Acquire);
        let old = self.newest();
        if self.len.load(Ordering::Relaxed) * 2 <= old.len() || level + 1 == LEVELS {
            return;
        }
        let new = self.tables[level + 1].get_or_init(|| table(level + 1));
        for entry in old {
            let entry = entry.load(Ordering::Relaxed);
            if entry != 0 {
                place(new, entry);
            }
        }
        self.newest.store(level + 1, Ordering::Release);
    }
}

/// Where the search for a word begins.
fn first_place(table: &[AtomicU64], word: u64) -> usize {
    (word >> 32) as usize & (table.len() - 1)
}

/// `Err` is the place where the search ended.
fn probe(table: &[AtomicU64], hash: u64, is_key: impl Fn(u32) -> bool) -> Result<u32, usize> {
    let mask = table.len() - 1;
    let mut at = first_place(table, hash);
    loop {
        let entry = table[at].load(Ordering::Acquire);
        if entry == 0 {
            return Err(at);
        }
        let id = (entry as u32) - 1;
        if entry == word(hash, id) && is_key(id) {
            return Ok(id);
        }
        at = (at + 1) & mask;
    }
}

/// Writes the word into the first free place. Insertions from other shards may compete for it.
fn place(table: &[AtomicU64], word: u64) {
    let mask = table.len() - 1;
    let mut at = first_place(table, word);
    while table[at].compare_exchange(0, word, Ordering::Release, Ordering::Relaxed).is_err() {
        at = (at + 1) & mask;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::slab::Slab;

    fn insert(keys: &Slab<AtomicU64>, key: u64) -> u32 {
        let (id, item) = keys.add();
        item.store(key, Ordering::Relaxed);
        id
    }

    fn is(keys: &Slab<AtomicU64>, id: u32, key: u64) -> bool {
        keys.get(id).load(Ordering::Relaxed) == key
    }

    #[test]
    fn keys_with_equal_hashes_keep_apart() {
        let index = Index::default();
        let keys = Slab::default();
        for key in 0..100_u64 {
            let id = index.get_or_insert(7, |id| is(&keys, id, key), || insert(&keys, key));
            assert_eq!(id, key as u32);
        }
        for key in 0..100_u64 {
            assert_eq!(index.get(7, |id| is(&keys, id, key)), Some(key as u32));
        }
        assert_eq!(index.get(7, |id| is(&keys, id, 100)), None);
    }

    #[test]
    fn growth_under_contention_gives_every_key_one_id() {
        let index = Index::default();
        let keys = Slab::<AtomicU64>::default();
        let hash = |key: u64| key.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for key in 0..20_000_u64 {
                        let is_key = |id: u32| is(&keys, id, key);
                        let id = index
                            .get(hash(key), is_key)
                            .unwrap_or_else(|| index.get_or_insert(hash(key), is_key, || insert(&keys, key)));
                        assert!(is(&keys, id, key));
                    }
                });
            }
        });
        assert_eq!(keys.add().0, 20_000);
    }
}
