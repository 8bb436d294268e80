use crate::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use crate::sync::{MODEL, Mutex};
use std::sync::OnceLock;

/// Words in the first table: 2^12.
const FIRST_LEVEL: u32 = if MODEL { 3 } else { 12 };
/// Tables up to 2^32 words, as many as there can be ids.
const LEVELS: usize = 21;
/// Parts of a table: 2^4. A probe stays in one part. Each part has its own lock for insertions.
const PARTS_LOG: u32 = if MODEL { 1 } else { 4 };

/// Maps hashes to ids. Insert-only; look-ups take no lock and write nothing.
///
/// A table is an array of words in equal parts. The hash's highest bits choose the part, which is probed linearly. A word
/// holds the upper half of a hash and an id + 1; zero is free. That half decides where the word belongs, so that growth needs no keys. The
/// caller compares keys in full. When a part is half full, all words are copied to the next table, which is twice as large and replaces the
/// old one. A reader still in the old table may miss later words; it finds them under the lock.
///
/// Invariants:
/// 1. A word, once written, never changes, and every table contains all words of its predecessor.
/// 2. Two equal keys never get two ids: a key is inserted under its part's lock after a look-up in the newest table,
///    and a table is only replaced under all locks.
/// 3. A part has a free word, or a search would not end: a part that is half full takes no more words.
#[derive(Debug)]
pub(crate) struct Index {
    /// Each set once, under all locks.
    tables: [OnceLock<Box<[AtomicU64]>>; LEVELS],
    /// The newest table. Written (release) under all locks after the table is complete, read (acquire) by all.
    newest: AtomicUsize,
    /// For each part, how many words it holds.
    parts: [Mutex<usize>; 1 << PARTS_LOG],
}

impl Default for Index {
    fn default() -> Self {
        let index = Self {
            tables: [const { OnceLock::new() }; LEVELS],
            newest: AtomicUsize::new(0),
            parts: std::array::from_fn(|_| Mutex::new(0)),
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

/// Which part of a table a hash, or a word, belongs to.
fn part_of(hash: u64) -> usize {
    (hash >> (u64::BITS - PARTS_LOG)) as usize
}

/// The words of a part.
fn part(table: &[AtomicU64], hash: u64) -> &[AtomicU64] {
    let len = table.len() >> PARTS_LOG;
    &table[part_of(hash) * len..][..len]
}

impl Index {
    fn newest(&self) -> (usize, &[AtomicU64]) {
        let level = self.newest.load(Ordering::Acquire);
        (level, self.tables[level].get().map_or(&[], |table| table))
    }

    /// Removes all words. To be called when no other thread uses the index.
    pub(crate) fn clear(&self) {
        for word in self.newest().1 {
            word.store(0, Ordering::Relaxed);
        }
        for part in &self.parts {
            *part.lock() = 0;
        }
    }

    /// Frees the tables that were replaced.
    pub(crate) fn free_old(&mut self) {
        let (newest, _) = self.newest();
        self.tables[..newest].iter_mut().for_each(|table| *table = OnceLock::new());
    }

    /// All ids.
    pub(crate) fn ids(&self) -> impl Iterator<Item = u32> {
        let words = self.newest().1.iter().map(|word| word.load(Ordering::Relaxed));
        words.filter(|word| *word != 0).map(|word| word as u32 - 1)
    }

    /// The table's memory, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        size_of_val(self.newest().1)
    }

    /// Replaces the table by one of half its size. `false` if it is the smallest. To be called after [`Index::clear`] and
    /// [`Index::free_old`].
    pub(crate) fn shrink(&mut self) -> bool {
        let (newest, _) = self.newest();
        let Some(smaller) = newest.checked_sub(1) else { return false };
        self.tables[newest] = OnceLock::new();
        self.tables[smaller].get_or_init(|| table(smaller));
        self.newest.store(smaller, Ordering::Relaxed);
        true
    }

    /// The id stored under `hash` for which `is_key` holds.
    pub(crate) fn get(&self, hash: u64, is_key: impl Fn(u32) -> bool) -> Option<u32> {
        probe(part(self.newest().1, hash), hash, is_key).ok()
    }

    /// The id stored under `hash` for which `is_key` holds, or else the one that `insert` makes.
    pub(crate) fn get_or_insert(
        &self,
        hash: u64,
        is_key: impl Fn(u32) -> bool,
        insert: impl FnOnce() -> u32,
    ) -> u32 {
        loop {
            let mut words = self.parts[part_of(hash)].lock();
            let (level, table) = self.newest();
            let part = part(table, hash);
            match probe(part, hash, &is_key) {
                Ok(id) => return id,
                Err(free) if *words * 2 < part.len() => {
                    let id = insert();
                    part[free].store(word(hash, id), Ordering::Release);
                    *words += 1;
                    return id;
                }
                Err(_) => {
                    drop(words);
                    self.grow(level);
                }
            }
        }
    }

    /// Replaces the table of `level`, unless another thread has.
    fn grow(&self, level: usize) {
        let _guards = self.parts.each_ref().map(Mutex::lock);
        let (newest, old) = self.newest();
        if newest != level {
            return;
        }
        let new = self.tables[level + 1].get_or_init(|| table(level + 1));
        for word in old {
            let word = word.load(Ordering::Relaxed);
            let part = part(new, word);
            if word != 0
                && let Err(free) = probe(part, word, |_| false)
            {
                part[free].store(word, Ordering::Relaxed);
            }
        }
        self.newest.store(level + 1, Ordering::Release);
    }
}

/// Looks for an id in a part. `Err` is the index of the free word where the search ended.
fn probe(part: &[AtomicU64], hash: u64, is_key: impl Fn(u32) -> bool) -> Result<u32, usize> {
    let mask = part.len() - 1;
    let mut at = (hash >> 32) as usize & mask;
    loop {
        let entry = part[at].load(Ordering::Acquire);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::slab::Slab;

    fn insert(keys: &Slab<AtomicU64>, key: u64) -> u32 {
        let id = keys.reserve().start;
        keys.get_or_make(id).store(key, Ordering::Relaxed);
        id
    }

    fn is(keys: &Slab<AtomicU64>, id: u32, key: u64) -> bool {
        keys.get(id).load(Ordering::Relaxed) == key
    }

    #[test]
    fn keys_with_equal_hashes_keep_apart() {
        let index = Index::default();
        let keys = Slab::default();
        let ids: Vec<_> = (0..1_000)
            .map(|key| index.get_or_insert(7, |id| is(&keys, id, key), || insert(&keys, key)))
            .collect();
        for (key, id) in (0..).zip(ids) {
            assert_eq!(index.get(7, |id| is(&keys, id, key)), Some(id));
        }
        assert_eq!(index.get(7, |id| is(&keys, id, 1_000)), None);
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
        let words: usize = index.parts.iter().map(|part| *part.lock()).sum();
        assert_eq!(words, 20_000);
    }
}
