use crate::sync::Mutex;
use crate::sync::atomic::{AtomicUsize, Ordering};

/// A step is heavy that is one of so many equal parts of what each thread has to do, or more.
const PARTS: u64 = 8;

/// The heavy steps of a batch, which are executed before their turn comes up.
#[derive(Debug, Default)]
pub(crate) struct Heavy {
    /// By weight, the heaviest last.
    positions: Mutex<Vec<u64>>,
    /// How many there are; a hint.
    len: AtomicUsize,
}

impl Heavy {
    /// Takes the heavy ones among the steps of a batch, weights and positions, which are cleared.
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

    /// The heaviest that is left.
    pub(crate) fn pop(&self) -> Option<u64> {
        if self.len.load(Ordering::Acquire) == 0 {
            return None;
        }
        let mut positions = self.positions.lock();
        let heaviest = positions.pop();
        self.len.store(positions.len(), Ordering::Release);
        heaviest
    }
}

#[cfg(all(test, not(any(loom, shuttle))))]
mod tests {
    use super::*;

    #[test]
    fn the_heaviest_comes_first() {
        let heavy = Heavy::default();
        let mut steps = vec![(1, 0), (50, 1), (2, 2), (90, 3), (50, 4), (1, 5)];
        heavy.replace(&mut steps, 1);
        assert!(steps.is_empty());
        let order: Vec<_> = std::iter::from_fn(|| heavy.pop()).collect();
        assert_eq!(order, [3, 1, 4]);
    }

    #[test]
    fn steps_without_weight_are_not_heavy() {
        let heavy = Heavy::default();
        heavy.replace(&mut vec![(0, 0), (0, 1)], 2);
        assert_eq!(heavy.pop(), None);
    }
}
