use crate::arena::Arena;
use crate::conflict_class::ConflictClasses;
use crate::control::Control;
use crate::cursors::{Advice, EndCursor, FedCursor, FrontierCursor, NextCursor, Released, Roles};
use crate::domain::Domain;
use crate::error::StreamError;
use crate::longest_first::LongestFirst;
use crate::store::VersionStore;
use crate::sync::MODEL;
use crate::view::Flight;
use crate::vm::Vm;
use crate::window::{Phase, Window};

/// The longest run at the frontier, in steps: long enough to share the fixed costs of a run, short enough that the locations it touches are
/// still in the caches at the commit.
pub(crate) const MAX_FRONTIER_RUN: u64 = 64;
/// The longest claim, and the longest speculative run, in steps.
pub(crate) const MAX_RUN: u64 = if MODEL { 2 } else { 32 };

/// The part of a stream that workers and its handle share.
///
/// Invariants:
/// 1. `next <= fed <= frontier + window`, and `fed <= end`; `next` may be behind `frontier`.
/// 2. Every step below `frontier` is final; no step at or above it is.
pub(crate) struct Shared<V: Vm> {
    pub(crate) store: VersionStore<V::Domain>,
    pub(crate) window: Window<V>,
    pub(crate) classes: ConflictClasses,
    pub(crate) longest_first: LongestFirst,
    pub(crate) frontier: FrontierCursor,
    pub(crate) next: NextCursor,
    pub(crate) fed: FedCursor,
    pub(crate) end: EndCursor,
    /// Speculation pauses until the frontier reaches this position.
    pub(crate) resume: Advice,
    /// Upper bound on the length of a speculative run, in steps.
    pub(crate) max_run: Advice,
    pub(crate) released: Released,
    /// Its signal is also notified when `frontier`, `fed` or `end` has changed, or a step is no longer being executed again.
    pub(crate) control: Control<V::Error>,
}

impl<V: Vm> Shared<V> {
    /// A stream that takes the memory of `arena`, and its roles.
    pub(crate) fn new(window: usize, workers: usize, arena: &mut Arena<V::Domain>) -> (Self, Roles) {
        let shared = Self {
            store: std::mem::take(&mut arena.store),
            window: Window::new(window, &mut arena.records),
            classes: std::mem::take(&mut arena.classes),
            longest_first: LongestFirst::default(),
            frontier: FrontierCursor::default(),
            next: NextCursor::default(),
            fed: FedCursor::default(),
            end: EndCursor::default(),
            resume: Advice::default(),
            max_run: Advice::new(MAX_RUN),
            released: Released::default(),
            control: Control::new(workers, V::Domain::KINDS.len()),
        };
        (shared, Roles::new())
    }

    /// Gives the stream's memory back to `arena`, and its error.
    pub(crate) fn recycle(self, arena: &mut Arena<V::Domain>) -> Option<StreamError<V::Error>> {
        let complete = self.frontier.hint() == self.end.get_in_order();
        arena.store = self.store;
        arena.store.clear(complete);
        arena.classes = self.classes;
        arena.records.extend(self.window.into_records());
        self.control.into_failure()
    }

    pub(crate) fn is_reexecuting(&self, position: u64) -> bool {
        self.window.phase(position) == Phase::Reexecuting
    }
}

impl<V: Vm> Flight for Shared<V> {
    fn stopped(&self) -> bool {
        self.control.stopped()
    }

    fn wait_for(&self, position: u64) {
        let control = &self.control;
        control.signal.wait_until(|| !self.is_reexecuting(position) || control.stopped());
    }
}
