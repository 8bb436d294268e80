use crate::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};
use crate::sync::spin_loop;

/// Storage for one value that can be read while it is being overwritten.
///
/// Implementations hold plain relaxed atomics. A [`Cell::load`] that overlaps a [`Cell::store`] may return a mixture of
/// two values; the sequence counter around it detects that and reads again.
pub trait Cell<T>: Default + Send + Sync {
    /// Reads all parts, relaxed.
    fn load(&self) -> T;
    /// Writes all parts, relaxed.
    fn store(&self, value: T);
}

/// `N` words: the building block of most [`Cell`]s.
#[derive(Debug)]
pub struct Words<const N: usize>([AtomicU64; N]);

impl<const N: usize> Default for Words<N> {
    fn default() -> Self {
        Self(std::array::from_fn(|_| AtomicU64::new(0)))
    }
}

impl<const N: usize> Words<N> {
    /// Reads one word, relaxed.
    pub fn word(&self, at: usize) -> u64 {
        self.0[at].load(Ordering::Relaxed)
    }

    /// Writes one word, relaxed.
    pub fn set_word(&self, at: usize, word: u64) {
        self.0[at].store(word, Ordering::Relaxed);
    }

    /// Reads the `M` words from `at` on, relaxed.
    pub fn words<const M: usize>(&self, at: usize) -> [u64; M] {
        std::array::from_fn(|i| self.word(at + i))
    }

    /// Writes words from `at` on, relaxed.
    pub fn set_words<const M: usize>(&self, at: usize, words: [u64; M]) {
        words.into_iter().enumerate().for_each(|(i, word)| self.set_word(at + i, word));
    }
}

impl<const N: usize> Cell<[u64; N]> for Words<N> {
    fn load(&self) -> [u64; N] {
        self.words(0)
    }

    fn store(&self, value: [u64; N]) {
        self.set_words(0, value);
    }
}

/// A value with the stamp of its last change, behind a sequence counter.
///
/// Reading takes no lock and writes no shared memory, so that a location read by all workers stays in all their
/// caches.
#[derive(Debug, Default)]
#[repr(C)]
pub(crate) struct Stamped<C> {
    /// Even while stable, odd while written. Written by the frontier's holder alone; read by everyone. The writer's
    /// release fence and final release store pair with the reader's acquire load and acquire fence.
    sequence: AtomicU32,
    /// A number for the cell's owner; fills bytes that would be padding.
    pub(crate) aux: AtomicU32,
    /// Number of changes of the value since the base state. Same protocol.
    stamp: AtomicU64,
    value: C,
}

impl<C> Stamped<C> {
    /// Sets the value from the base state. To be called before other threads know of the cell.
    pub(crate) fn begin<T>(&self, value: T)
    where
        C: Cell<T>,
    {
        self.stamp.store(0, Ordering::Relaxed);
        self.value.store(value);
    }

    /// The value and its stamp, consistent with one another.
    pub(crate) fn load<T>(&self) -> (u64, T)
    where
        C: Cell<T>,
    {
        loop {
            let before = self.sequence.load(Ordering::Acquire);
            if before & 1 == 0 {
                let stamp = self.stamp.load(Ordering::Relaxed);
                let value = self.value.load();
                fence(Ordering::Acquire);
                if self.sequence.load(Ordering::Relaxed) == before {
                    return (stamp, value);
                }
            }
            spin_loop();
        }
    }

    /// The stamp alone.
    pub(crate) fn stamp(&self) -> u64 {
        self.stamp.load(Ordering::Acquire)
    }

    /// Overwrites the value and gives it a new stamp. Only the frontier's holder may call this.
    pub(crate) fn store<T>(&self, value: T)
    where
        C: Cell<T>,
    {
        let stamp = self.stamp.load(Ordering::Relaxed) + 1;
        let sequence = self.sequence.load(Ordering::Relaxed);
        self.sequence.store(sequence.wrapping_add(1), Ordering::Relaxed);
        fence(Ordering::Release);
        self.stamp.store(stamp, Ordering::Relaxed);
        self.value.store(value);
        self.sequence.store(sequence.wrapping_add(2), Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_never_sees_a_torn_value() {
        let cell = Stamped::<Words<4>>::default();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for i in 1..20_000_u64 {
                    cell.store([i; 4]);
                }
            });
            for _ in 0..20_000 {
                let (stamp, value) = cell.load();
                assert_eq!(value, [stamp; 4]);
            }
        });
    }
}
