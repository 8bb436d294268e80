use crate::sync::atomic::{AtomicU32, Ordering};
use crate::sync::{MODEL, OnceLock};
use std::ops::Range;

/// Items in the first chunk: 2^6. Each chunk is twice as large as the one before.
const FIRST_CHUNK: u32 = if MODEL { 1 } else { 6 };
/// Chunks until ids run out.
const CHUNKS: usize = 26;
/// Ids reserved at once, so that items filled by one thread are adjacent in memory.
const RESERVE: u32 = if MODEL { 1 } else { 16 };

/// An arena of items that many threads add and read. Items never move. Clearing keeps the chunks with their items, to be used again.
///
/// Items are made in advance, so that adding one takes no lock: a thread fills in the item's atomics and locks, and then publishes its id.
#[derive(Debug)]
pub(crate) struct Slab<T> {
    chunks: [OnceLock<Box<[T]>>; CHUNKS],
    /// Number of reserved ids. Raised by any thread.
    len: AtomicU32,
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Self { chunks: std::array::from_fn(|_| OnceLock::new()), len: AtomicU32::new(0) }
    }
}

/// The chunk of an id, and its index there.
fn locate(id: u32) -> (usize, usize) {
    let number = u64::from(id) + (1 << FIRST_CHUNK);
    let log = number.ilog2();
    ((log - FIRST_CHUNK) as usize, (number - (1 << log)) as usize)
}

impl<T: Default> Slab<T> {
    /// Reserves ids for the caller.
    pub(crate) fn reserve(&self) -> Range<u32> {
        let first = self.len.fetch_add(RESERVE, Ordering::Relaxed);
        first..first + RESERVE
    }

    /// The item with this id, in the state of its last use. Makes its chunk if there is none.
    pub(crate) fn get_or_make(&self, id: u32) -> &T {
        let (chunk, place) = locate(id);
        let new_chunk =
            || std::iter::repeat_with(T::default).take(1 << (FIRST_CHUNK as usize + chunk)).collect();
        &self.chunks[chunk].get_or_init(new_chunk)[place]
    }

    /// The item with this id, whose chunk must have been made.
    pub(crate) fn get(&self, id: u32) -> &T {
        let (chunk, place) = locate(id);
        &self.chunks[chunk].get().expect("an id names an item")[place]
    }

    /// The reserved ids with their items. Leaves out ids whose chunk was not made yet.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &T)> {
        (0..self.len.load(Ordering::Relaxed)).filter_map(|id| {
            let (chunk, place) = locate(id);
            self.chunks[chunk].get().map(|chunk| (id, &chunk[place]))
        })
    }

    /// Number of reserved ids.
    pub(crate) fn len(&self) -> usize {
        self.len.load(Ordering::Relaxed) as usize
    }

    /// Frees all ids. To be called when no other thread uses one.
    pub(crate) fn clear(&self) {
        self.len.store(0, Ordering::Relaxed);
    }

    /// Memory of the chunks, in bytes, without heap memory of the items.
    pub(crate) fn bytes(&self) -> usize {
        self.chunks.iter().filter_map(OnceLock::get).map(|chunk| size_of_val(&**chunk)).sum()
    }

    /// Frees the largest chunk. `false` if there is only the first. To be called after [`Slab::clear`].
    pub(crate) fn shrink(&mut self) -> bool {
        let largest = self.chunks.iter_mut().skip(1).rev().find(|chunk| chunk.get().is_some());
        largest.map(|chunk| *chunk = OnceLock::new()).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_fill_chunk_after_chunk() {
        assert_eq!(locate(0), (0, 0));
        assert_eq!(locate(63), (0, 63));
        assert_eq!(locate(64), (1, 0));
        assert_eq!(locate(191), (1, 127));
        assert_eq!(locate(192), (2, 0));
        assert_eq!(locate(u32::MAX - 64).0, CHUNKS - 1);
    }

    #[test]
    fn items_filled_by_many_threads_are_found_and_forgotten() {
        let slab = Slab::<AtomicU32>::default();
        for _ in 0..2 {
            std::thread::scope(|scope| {
                for thread in 0..4 {
                    let slab = &slab;
                    scope.spawn(move || {
                        let ids: Vec<_> = (0..100).flat_map(|_| slab.reserve()).collect();
                        for id in &ids {
                            slab.get_or_make(*id).store(thread, Ordering::Relaxed);
                        }
                        assert!(ids.iter().all(|id| slab.get(*id).load(Ordering::Relaxed) == thread));
                    });
                }
            });
            assert_eq!(slab.iter().count(), 400 * RESERVE as usize);
            slab.clear();
        }
    }
}
