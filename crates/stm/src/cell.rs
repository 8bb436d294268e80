use crate::sync::atomic::{AtomicU64, Ordering, fence};
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

impl<const N: usize> Cell<[u64; N]> for Words<N> {
    fn load(&self) -> [u64; N] {
        std::array::from_fn(|i| self.0[i].load(Ordering::Relaxed))
    }

    fn store(&self, value: [u64; N]) {
        for (word, part) in self.0.iter().zip(value) {
            word.store(part, Ordering::Relaxed);
        }
    }
}

/// A value with the stamp of its last change, behind a sequence counter.
///
/// Reading takes no lock and writes no shared memory, so that a location read by all workers stays in all their
/// caches.
#[derive(Debug, Default)]
pub(crate) struct Stamped<C> {
    /// Even while stable, odd while written. Written by the frontier's holder alone; read by everyone. The writer's
    /// release fence and final release store pair with the reader's acquire load and acquire fence.
    sequence: AtomicU64,
    /// Position + 1 of the step that last changed the value; 0 for the base state. Same protocol.
    stamp: AtomicU64,
    value: C,
}

impl<C> Stamped<C> {
    /// A cell that holds `value` from the base state.
    pub(crate) fn new<T>(value: T) -> Self
    where
        C: Cell<T>,
    {
        let cell = Self { sequence: AtomicU64::new(0), stamp: AtomicU64::new(0), value: C::default() };
        cell.value.store(value);
        cell
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

    /// Overwrites the value. Only the holder of the frontier may call this.
    pub(crate) fn store<T>(&self, stamp: u64, value: T)
    where
        C: Cell<T>,
    {
        let sequence = self.sequence.load(Ordering::Relaxed);
        self.sequence.store(sequence + 1, Ordering::Relaxed);
        fence(Ordering::Release);
        self.stamp.store(stamp, Ordering::Relaxed);
        self.value.store(value);
        self.sequence.store(sequence + 2, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_never_sees_a_torn_value() {
        let cell = Stamped::<Words<4>>::new([0; 4]);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for i in 1..20_000_u64 {
                    cell.store(i, [i; 4]);
                }
            });
            for _ in 0..20_000 {
                let (stamp, value) = cell.load();
                assert_eq!(value, [stamp; 4]);
            }
        });
    }
}
