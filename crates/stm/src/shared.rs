use crate::arena::Arena;
use crate::error::StreamError;
use crate::groups::Groups;
use crate::heavy::Heavy;
use crate::signal::Signal;
use crate::store::VersionStore;
use crate::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use crate::sync::{MODEL, Mutex};
use crate::vm::Vm;
use crate::window::{Phase, Window};
use crossbeam_utils::CachePadded;

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
    /// Position of the next step to become final. Written (release) by the frontier's holder, read by all.
    pub(crate) frontier: CachePadded<AtomicU64>,
    /// Position of the next step to claim for speculation. Raised by whoever claims steps, lowered by a worker that gives
    /// back some of those it claimed; a hint, since the slot's phase decides.
    pub(crate) next: CachePadded<AtomicU64>,
    /// Until the frontier is here, speculation pauses, since it was of no use lately. Written by the frontier's holder, read
    /// by all; a hint.
    pub(crate) resume: AtomicU64,
    /// A step that was to follow another one, which is final now; plus one. Written by the frontier's holder, taken by whoever
    /// executes it; a hint.
    pub(crate) released: AtomicU64,
    /// How many steps run ahead of their turn together at most. Written by the frontier's holder, read by all; a hint.
    pub(crate) longest: AtomicU64,
    /// End of the steps that were put into the window. Written (release) by the feeder after their slots.
    pub(crate) fed: CachePadded<AtomicU64>,
    /// Length of the stream; `u64::MAX` until the input is exhausted. Written once by the feeder.
    pub(crate) end: AtomicU64,
    /// Set once, when the stream has ended for whatever reason; workers leave at their next step.
    stop: AtomicBool,
    /// Notified when `frontier`, `fed`, `end` or `stop` changed, or a step stopped rerunning.
    pub(crate) signal: Signal,
    failure: Mutex<Option<StreamError<V::Error>>>,
}

impl<V: Vm> Shared<V> {
    /// A stream that uses what `arena` holds.
    pub(crate) fn new(window: usize, arena: &mut Arena<V::Domain>) -> Self {
        Self {
            store: std::mem::take(&mut arena.store),
            window: Window::new(window, &mut arena.records),
            groups: std::mem::take(&mut arena.groups),
            heavy: Heavy::default(),
            frontier: CachePadded::default(),
            next: CachePadded::default(),
            resume: AtomicU64::new(0),
            released: AtomicU64::new(0),
            longest: AtomicU64::new(LONGEST_RUN),
            fed: CachePadded::default(),
            end: AtomicU64::new(u64::MAX),
            stop: AtomicBool::new(false),
            signal: Signal::default(),
            failure: Mutex::new(None),
        }
    }

    /// Ends the stream for good: its memory goes back to `arena`.
    pub(crate) fn recycle(self, arena: &mut Arena<V::Domain>) -> Option<StreamError<V::Error>> {
        let complete = self.frontier.load(Ordering::Relaxed) == self.end.load(Ordering::Relaxed);
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

    /// Waits until the step at `position` is no longer being executed again.
    pub(crate) fn wait_for(&self, position: u64) {
        self.signal.wait_until(|| !self.is_rerunning(position) || self.stopped());
    }
}
