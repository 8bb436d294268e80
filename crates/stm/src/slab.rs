use crate::sync::MODEL;
use crate::sync::atomic::{AtomicU32, Ordering};
use std::sync::OnceLock;

/// Items in the first chunk: 2^6. Each chunk is twice as large as the one before.
const FIRST_CHUNK: u32 = if MODEL { 1 } else { 6 };
/// Chunks until ids run out.
const CHUNKS: usize = 26;

/// Items that many threads add and read, never moved while they are there. Chunks are kept when it is cleared.
#[derive(Debug)]
pub(crate) struct Slab<T> {
    chunks: [OnceLock<Box<[OnceLock<T>]>>; CHUNKS],
    /// Number of ids given out. Raised by any thread; an item is visible through its own lock, not through this.
    len: AtomicU32,
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Self { chunks: [const { OnceLock::new() }; CHUNKS], len: AtomicU32::new(0) }
    }
}

/// Chunk and place of an id.
fn locate(id: u32) -> (usize, usize) {
    let number = u64::from(id) + (1 << FIRST_CHUNK);
    let log = number.ilog2();
    ((log - FIRST_CHUNK) as usize, (number - (1 << log)) as usize)
}

impl<T> Slab<T> {
    /// Adds an item and gives its id.
    pub(crate) fn push(&self, item: T) -> u32 {
        let id = self.len.fetch_add(1, Ordering::Relaxed);
        let (chunk, place) = locate(id);
        let new_chunk =
            || std::iter::repeat_with(OnceLock::new).take(1 << (FIRST_CHUNK as usize + chunk)).collect();
        self.chunks[chunk].get_or_init(new_chunk)[place].get_or_init(|| item);
        id
    }

    /// The item with this id, which must have come from [`Slab::push`].
    pub(crate) fn get(&self, id: u32) -> &T {
        let (chunk, place) = locate(id);
        self.chunks[chunk].get().and_then(|chunk| chunk[place].get()).expect("an id names an item")
    }

    /// The items that are in place.
    #[cfg(shuttle)]
    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        (0..self.len.load(Ordering::Relaxed)).filter_map(|id| {
            let (chunk, place) = locate(id);
            self.chunks[chunk].get()?[place].get()
        })
    }

    /// Removes all items.
    pub(crate) fn clear(&mut self) {
        for id in 0..self.len.swap(0, Ordering::Relaxed) {
            let (chunk, place) = locate(id);
            if let Some(chunk) = self.chunks[chunk].get_mut() {
                chunk[place].take();
            }
        }
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
    fn items_added_by_many_threads_are_found_and_forgotten() {
        let mut slab = Slab::default();
        for _ in 0..2 {
            std::thread::scope(|scope| {
                for thread in 0..4_u64 {
                    let slab = &slab;
                    scope.spawn(move || {
                        for item in 0..1_000 {
                            let id = slab.push((thread, item));
                            assert_eq!(*slab.get(id), (thread, item));
                        }
                    });
                }
            });
            assert_eq!(slab.len.load(Ordering::Relaxed), 4_000);
            slab.clear();
        }
    }
}
