//! Where a stream is: the positions that all its workers share.
//!
//! Most of them have one writer at a time: the frontier's holder or the feeder. Its role is a value that cannot be copied,
//! [`AtFrontier`] or [`AtInput`], behind a lock. A write demands the role; the methods that read do not. A cursor that every worker
//! writes has one method per kind of write.

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
    /// Acquire: a worker that finds it at a position sees all earlier steps as they became final.
    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }

    /// Sequentially consistent: a worker that is about to sleep, or checks whether the frontier can be served, misses no move whose
    /// notification came before (see `Signal`).
    pub(crate) fn get_in_order(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }

    /// Relaxed: for the frontier's holder, to whom the lock has shown the last move, and for hints.
    pub(crate) fn hint(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    /// Sequentially consistent, and so a release: publishes everything that made the steps before `to` final.
    pub(crate) fn advance(&self, _: &mut AtFrontier, to: u64) {
        self.0.store(to, Ordering::SeqCst);
    }
}

/// End of the steps that were put into the window. It only grows.
#[derive(Default)]
pub(crate) struct FedCursor(CachePadded<AtomicU64>);

impl FedCursor {
    /// Acquire: a worker that finds it at a position sees the filled slots of all earlier steps.
    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }

    /// Sequentially consistent: see [`FrontierCursor::get_in_order`].
    pub(crate) fn get_in_order(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }

    /// Relaxed: only the feeder writes it, and the lock has shown it the last write.
    pub(crate) fn get_own(&self, _: &AtInput) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    /// Release: publishes the filled slots before `to`.
    pub(crate) fn publish(&self, _: &mut AtInput, to: u64) {
        self.0.store(to, Ordering::Release);
    }
}

/// Number of steps until the end of the round; `u64::MAX` until the last of them is fed.
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

    /// Sequentially consistent, so that no worker goes to sleep without seeing it.
    pub(crate) fn set(&self, _: &mut AtInput, end: u64) {
        self.0.store(end, Ordering::SeqCst);
    }

    /// Begins the next round, when all workers have left.
    pub(crate) fn reset(&self, _: &mut AtInput) {
        self.0.store(u64::MAX, Ordering::SeqCst);
    }
}

/// Position of the next step to claim for speculation: a hint, since the slot's phase decides. So all orders are relaxed. A worker raises it
/// to claim steps, and lowers it to give some back. It may be behind the frontier.
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

    /// Gives the steps from `position` on back, so that other workers can claim them.
    pub(crate) fn give_back(&self, position: u64) {
        self.0.fetch_min(position, Ordering::Relaxed);
    }
}

/// A number that the frontier's holder gives to all workers as a hint. So all orders are relaxed.
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

/// A step that was queued behind another one, which is final now: a hint, since the slot's phase decides. So all orders are relaxed. The
/// frontier's holder puts it there, and the worker that is to execute it takes it.
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
