use crate::sync::Mutex;
use crate::sync::atomic::{AtomicUsize, Ordering};

/// A step is long if its weight is more than this part of a thread's share of the batch: an eighth.
const PARTS: u64 = 8;

/// The long steps of a batch. Workers start them before the other steps, the longest first, so that no worker is left with a long
/// step when all others have finished the batch.
#[derive(Debug, Default)]
pub(crate) struct LongestFirst {
    /// By weight, the largest last.
    positions: Mutex<Vec<u64>>,
    /// How many there are; a hint.
    len: AtomicUsize,
}

impl LongestFirst {
    /// Replaces the long steps by those of a new batch. `steps` has the weight and the position of each step of the batch; it is
    /// empty afterwards.
    pub(crate) fn replace(&self, steps: &mut Vec<(u64, u64)>, threads: usize) {
        let total: u128 = steps.iter().map(|(weight, _)| u128::from(*weight)).sum();
        let parts = u128::from(PARTS * threads as u64);
        steps.retain(|(weight, _)| u128::from(*weight) * parts > total);
        steps.sort_unstable_by_key(|(weight, position)| (*weight, std::cmp::Reverse(*position)));
        let mut positions = self.positions.lock();
        positions.clear();
        positions.extend(steps.drain(..).map(|(_, position)| position));
        self.len.store(positions.len(), Ordering::Release);
    }

    /// Removes the longest step.
    pub(crate) fn pop(&self) -> Option<u64> {
        if self.len.load(Ordering::Acquire) == 0 {
            return None;
        }
        let mut positions = self.positions.lock();
        let longest = positions.pop();
        self.len.store(positions.len(), Ordering::Release);
        longest
    }
}

#[cfg(all(test, not(any(loom, shuttle))))]
mod tests {
    use super::*;

    #[test]
    fn the_longest_step_comes_first() {
        let longest_first = LongestFirst::default();
        let mut steps = vec![(1, 0), (50, 1), (2, 2), (90, 3), (50, 4), (1, 5)];
        longest_first.replace(&mut steps, 1);
        assert!(steps.is_empty());
        let order: Vec<_> = std::iter::from_fn(|| longest_first.pop()).collect();
        assert_eq!(order, [3, 1, 4]);
    }

    #[test]
    fn steps_without_weight_are_not_long() {
        let longest_first = LongestFirst::default();
        longest_first.replace(&mut vec![(0, 0), (0, 1)], 2);
        assert_eq!(longest_first.pop(), None);
    }
}
