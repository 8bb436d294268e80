use crate::admissions::Admissions;
use crate::cursors::AtFrontier;
use crate::record::{Effects, Violation};
use crate::segment::Segment;
use crate::shared::MAX_FRONTIER_RUN;
use crate::vm::Vm;
use std::time::Instant;

/// The state of the frontier, behind the lock of its holder.
pub(crate) struct Frontier<V: Vm, S> {
    pub(crate) role: AtFrontier,
    /// Dropped when the last worker leaves, which shows the end to a consumer that is connected to it.
    pub(crate) sink: Option<S>,
    pub(crate) segment: Segment<V::Domain>,
    /// Set while a holder works. A worker that acquires the lock and finds it set knows that the last holder panicked.
    pub(crate) busy: bool,
    /// When waiters were last notified that the frontier moved.
    pub(crate) last_notified: Option<Instant>,
    /// Number of wasted speculative results, less a credit for each useful one.
    pub(crate) wasted: u32,
    /// Number of valid runs of the longest length allowed, since that length last changed.
    pub(crate) good_runs: u32,
    pub(crate) admissions: Admissions<V>,
    /// Upper bound on the length of a run at the frontier, in steps: one after a step that the sink skipped, doubled after each run that it
    /// took. Without it, a sink that skips most steps would have a run dissolved for each.
    pub(crate) max_run: u64,
    /// Scratch: the violated observations of one result, with the present values.
    pub(crate) violated: Vec<Violation<V::Domain>>,
    /// Scratch: the effects of one result before its repair.
    pub(crate) unrepaired: Effects<V::Domain>,
}

impl<V: Vm, S> Frontier<V, S> {
    pub(crate) fn new(sink: S, role: AtFrontier) -> Self {
        Self {
            role,
            sink: Some(sink),
            segment: Segment::default(),
            busy: false,
            last_notified: None,
            wasted: 0,
            good_runs: 0,
            admissions: Admissions::default(),
            max_run: MAX_FRONTIER_RUN,
            violated: Vec::new(),
            unrepaired: Vec::new(),
        }
    }
}
