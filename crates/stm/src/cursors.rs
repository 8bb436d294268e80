//! Where a stream is: the positions that all its workers share.
//!
//! Each of them has one writer at a time, whose role is a value that cannot be copied: [`AtFrontier`] belongs to the holder of the
//! frontier, [`AtInput`] to the feeder, both behind a lock. Whoever writes shows it. Everyone else has only the methods that read; of
//! what every worker writes, there is a method for each way to do so.

use crate::sync::atomic::{AtomicU64, Ordering};
use crossbeam_utils::CachePadded;

/// The role of the frontier's holder.
pub(crate) struct AtFrontier(());

/// The role of the feeder.
pub(crate) struct AtInput(());

/// The roles of one stream.
pub(crate) struct Roles {
    pub(crate) frontier: AtFrontier,
    pub(crate) input: AtInput,
}

impl Roles {
    pub(crate) fn new() -> Self {
        Self { frontier: AtFrontier(()), input: AtInput(()) }
    }
}

/// Position of the next step to become final. It only grows.
#[derive(Default)]
pub(crate) struct FrontierCursor(CachePadded<AtomicU64>);

impl FrontierCursor {
    /// Acquire: whoever finds it at a position sees all steps before that as they became final.
    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }

    /// Sequentially consistent: a worker that is about to sleep, or that looks whether the frontier can be served, misses no move that
    /// was made before the notification of it (see `Signal`).
    pub(crate) fn get_in_order(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }

    /// Relaxed: for its own holder, to whom the lock has shown the last move, and for what may be out of date.
    pub(crate) fn hint(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    /// Sequentially consistent, and so a release: everything that made the steps before `to` final comes before.
    pub(crate) fn advance(&self, _: &mut AtFrontier, to: u64) {
        self.0.store(to, Ordering::SeqCst);
    }
}

/// End of the steps that were put into the window. It only grows.
#[derive(Default)]
pub(crate) struct FedCursor(CachePadded<AtomicU64>);

impl FedCursor {
    /// Acquire: whoever finds it at a position sees the slots of all steps before that as they were filled.
    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }

    /// Sequentially consistent: see [`FrontierCursor::get_in_order`].
    pub(crate) fn get_in_order(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }

    /// Relaxed: the feeder is the only one to write it, and the lock has shown it the last time.
    pub(crate) fn get_own(&self, _: &AtInput) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    /// Release: the slots before `to` are filled.
    pub(crate) fn publish(&self, _: &mut AtInput, to: u64) {
        self.0.store(to, Ordering::Release);
    }
}

/// Length of the stream; `u64::MAX` until the input is exhausted. Written once.
pub(crate) struct EndCursor(AtomicU64);

impl Default for EndCursor {
    fn default() -> Self {
        Self(AtomicU64::new(u64::MAX))
    }
}

impl EndCursor {
    /// Sequentially consistent: see [`FrontierCursor::get_in_order`].
    pub(crate) fn get_in_order(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }

    /// Sequentially consistent, so that no worker falls asleep over it.
    pub(crate) fn set(&self, _: &mut AtInput, end: u64) {
        self.0.store(end, Ordering::SeqCst);
    }
}

/// Position of the next step to claim for speculation: a hint, since the slot's phase decides. So all orders are relaxed. Raised by
/// whoever claims steps, lowered by whoever gives some back; it may be behind the frontier.
#[derive(Default)]
pub(crate) struct NextCursor(CachePadded<AtomicU64>);

impl NextCursor {
    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    /// Claims the steps from `next` to `end`, unless it has moved away from `next`.
    pub(crate) fn claim(&self, next: u64, end: u64) -> bool {
        self.0.compare_exchange(next, end, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    /// Gives the steps from `position` on back.
    pub(crate) fn give_back(&self, position: u64) {
        self.0.fetch_min(position, Ordering::Relaxed);
    }
}

/// A number that the frontier's holder gives others for what can only cost time. So all orders are relaxed.
#[derive(Default)]
pub(crate) struct Advice(AtomicU64);

impl Advice {
    pub(crate) fn new(number: u64) -> Self {
        Self(AtomicU64::new(number))
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    pub(crate) fn set(&self, _: &mut AtFrontier, number: u64) {
        self.0.store(number, Ordering::Relaxed);
    }
}

/// A step that was to follow another one, which is final now: a hint, since the slot's phase decides. So all orders are relaxed. Put
/// there by the frontier's holder, taken by whoever executes it.
#[derive(Default)]
pub(crate) struct Released {
    /// Its position plus one; zero for none.
    number: AtomicU64,
}

impl Released {
    /// `number` is the position plus one.
    pub(crate) fn put(&self, _: &mut AtFrontier, number: u64) {
        self.number.store(number, Ordering::Relaxed);
    }

    /// Takes its position.
    pub(crate) fn take(&self) -> Option<u64> {
        match self.number.load(Ordering::Relaxed) {
            0 => None,
            _ => self.number.swap(0, Ordering::Relaxed).checked_sub(1),
        }
    }
}
