use crate::arena::Arena;
use crate::cursors::{Advice, EndCursor, FedCursor, FrontierCursor, NextCursor, Released, Roles};
use crate::domain::Domain;
use crate::error::StreamError;
use crate::groups::Groups;
use crate::heavy::Heavy;
use crate::signal::Signal;
use crate::store::VersionStore;
use crate::sync::atomic::{AtomicBool, Ordering};
use crate::sync::{MODEL, Mutex};
use crate::tallies::Tallies;
use crate::view::Flight;
use crate::vm::Vm;
use crate::window::{Phase, Window};

/// Steps that run at the frontier together at most: enough to share what they have in common, few enough for what they touch to be in
/// the caches when it is made final.
pub(crate) const LONGEST_AT_FRONTIER: u64 = 64;
/// Steps that are claimed, or run ahead of their turn together, at most.
pub(crate) const LONGEST_RUN: u64 = if MODEL { 2 } else { 32 };

/// What all workers of one stream share.
///
/// Invariants:
/// 1. `next <= fed <= frontier + window`, and `fed <= end`; `next` may be behind `frontier`.
/// 2. Every step below `frontier` is final; no step at or above it is.
pub(crate) struct Shared<V: Vm> {
    pub(crate) store: VersionStore<V::Domain>,
    pub(crate) window: Window<V>,
    pub(crate) groups: Groups,
    pub(crate) heavy: Heavy,
    pub(crate) frontier: FrontierCursor,
    pub(crate) next: NextCursor,
    pub(crate) fed: FedCursor,
    pub(crate) end: EndCursor,
    /// Until the frontier is here, speculation pauses, since it was of no use lately.
    pub(crate) resume: Advice,
    /// How many steps run ahead of their turn together at most.
    pub(crate) longest: Advice,
    pub(crate) released: Released,
    /// Set once, when the stream has ended for whatever reason; workers leave at their next step.
    stop: AtomicBool,
    /// Notified when `frontier`, `fed`, `end` or `stop` changed, or a step stopped rerunning.
    pub(crate) signal: Signal,
    pub(crate) tallies: Tallies,
    failure: Mutex<Option<StreamError<V::Error>>>,
}

impl<V: Vm> Shared<V> {
    /// A stream that uses what `arena` holds, and the roles in it.
    pub(crate) fn new(window: usize, workers: usize, arena: &mut Arena<V::Domain>) -> (Self, Roles) {
        let shared = Self {
            store: std::mem::take(&mut arena.store),
            window: Window::new(window, &mut arena.records),
            groups: std::mem::take(&mut arena.groups),
            heavy: Heavy::default(),
            frontier: FrontierCursor::default(),
            next: NextCursor::default(),
            fed: FedCursor::default(),
            end: EndCursor::default(),
            resume: Advice::default(),
            longest: Advice::new(LONGEST_RUN),
            released: Released::default(),
            stop: AtomicBool::new(false),
            signal: Signal::default(),
            tallies: Tallies::new(workers, V::Domain::KINDS.len()),
            failure: Mutex::new(None),
        };
        (shared, Roles::new())
    }

    /// Ends the stream for good: its memory goes back to `arena`.
    pub(crate) fn recycle(self, arena: &mut Arena<V::Domain>) -> Option<StreamError<V::Error>> {
        let complete = self.frontier.hint() == self.end.get_in_order();
        arena.store = self.store;
        arena.store.clear(complete);
        arena.groups = self.groups;
        arena.records.extend(self.window.into_records());
        self.failure.into_inner()
    }

    pub(crate) fn stopped(&self) -> bool {
        self.stop.load(Ordering::Acquire)
    }

    /// Ends the stream.
    pub(crate) fn stop(&self) {
        self.stop.store(true, Ordering::SeqCst);
        self.signal.notify();
    }

    /// Ends the stream with an error; the first one stays.
    pub(crate) fn fail(&self, error: StreamError<V::Error>) {
        self.failure.lock().get_or_insert(error);
        self.stop();
    }

    pub(crate) fn take_failure(&self) -> Option<StreamError<V::Error>> {
        self.failure.lock().take()
    }

    pub(crate) fn is_rerunning(&self, position: u64) -> bool {
        self.window.phase(position) == Phase::Rerunning
    }
}

impl<V: Vm> Flight for Shared<V> {
    fn stopped(&self) -> bool {
        self.stopped()
    }

    fn wait_for(&self, position: u64) {
        self.signal.wait_until(|| !self.is_rerunning(position) || self.stopped());
    }
}
