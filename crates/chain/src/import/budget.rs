use parking_lot::{Condvar, Mutex};

/// Bytes that may be read ahead, over all blocks. One block may always be, whatever its length.
#[derive(Debug)]
pub(super) struct Budget {
    limit: usize,
    /// Bytes that are taken; `None` once the budget is closed.
    taken: Mutex<Option<usize>>,
    /// Something was given back, or the budget is closed. Notified with `taken` unlocked.
    changed: Condvar,
}

impl Budget {
    pub(super) fn new(limit: usize) -> Self {
        Self { limit, taken: Mutex::new(Some(0)), changed: Condvar::new() }
    }

    /// Takes `bytes`, as soon as there are so many or nothing else is taken. `false` once the budget is closed.
    pub(super) fn take(&self, bytes: usize) -> bool {
        let mut guard = self.taken.lock();
        loop {
            match &mut *guard {
                None => return false,
                Some(taken) if *taken == 0 || taken.saturating_add(bytes) <= self.limit => {
                    *taken += bytes;
                    return true;
                }
                Some(_) => self.changed.wait(&mut guard),
            }
        }
    }

    /// Gives back what was taken for a block.
    pub(super) fn give_back(&self, bytes: usize) {
        if let Some(taken) = &mut *self.taken.lock() {
            *taken = taken.saturating_sub(bytes);
        }
        self.changed.notify_one();
    }

    /// Ends all waits once the value is dropped.
    pub(super) fn closed_with(&self) -> CloseBudget<'_> {
        CloseBudget(self)
    }
}

/// Closes a budget when it is dropped.
#[derive(Debug)]
pub(super) struct CloseBudget<'b>(&'b Budget);

impl Drop for CloseBudget<'_> {
    fn drop(&mut self) {
        *self.0.taken.lock() = None;
        self.0.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    #[test]
    fn no_more_is_taken_than_there_is() {
        let budget = Budget::new(10);
        let (taken, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        thread::scope(|scope| {
            let (blocks_in, blocks) = crossbeam_channel::unbounded();
            scope.spawn(|| {
                let blocks_in = blocks_in;
                for bytes in (0..2_000).map(|index| index % 7 + 1) {
                    assert!(budget.take(bytes));
                    most.fetch_max(taken.fetch_add(bytes, Ordering::SeqCst) + bytes, Ordering::SeqCst);
                    blocks_in.send(bytes).unwrap();
                }
            });
            for bytes in blocks {
                taken.fetch_sub(bytes, Ordering::SeqCst);
                budget.give_back(bytes);
            }
        });
        assert!((7..=10).contains(&most.into_inner()));
    }

    #[test]
    fn a_block_that_is_longer_than_all_is_alone() {
        let budget = Budget::new(10);
        assert!(budget.take(1_000));
        thread::scope(|scope| {
            let next = scope.spawn(|| budget.take(1));
            thread::sleep(std::time::Duration::from_millis(20));
            assert!(!next.is_finished());
            budget.give_back(1_000);
            assert!(next.join().unwrap());
        });
    }

    #[test]
    fn nobody_waits_for_a_closed_budget() {
        let budget = Budget::new(10);
        assert!(budget.take(10));
        thread::scope(|scope| {
            let waiting = scope.spawn(|| budget.take(1));
            drop(budget.closed_with());
            assert!(!waiting.join().unwrap());
        });
        assert!(!budget.take(0));
    }
}
