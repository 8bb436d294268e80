use crate::cursors::AtFrontier;
use crate::record::{Effects, Violation};
use crate::shared::MAX_FRONTIER_RUN;
use crate::sink::{Admission, Segment, Sink};
use crate::vm::Vm;
use crate::window::Body;
use std::time::Instant;

/// The sink's answers to [`Sink::admit`] for steps that are not final yet, so that it is asked about each step once.
pub(crate) struct Admissions<V: Vm> {
    /// All steps before this position are admitted or final.
    until: u64,
    /// The output of the step at `until`, if the sink skips it.
    skipped: Option<V::Output>,
}

impl<V: Vm> Admissions<V> {
    /// Whether the sink admits the step at `position`. Asks unless it has answered.
    pub(crate) fn ask(&mut self, sink: &mut impl Sink<V>, position: u64, body: &mut Body<V>) -> bool {
        if position < self.until {
            return true;
        }
        if self.skips(position) {
            return false;
        }
        let step = body.step.as_ref().expect("a step in flight is in its slot");
        let output = body.output.as_mut().expect("a step that was executed has an output");
        self.until = position;
        match sink.admit(step, output) {
            Admission::Take => self.until = position + 1,
            Admission::Skip => self.skipped = body.output.take(),
        }
        self.skipped.is_none()
    }

    /// Whether the sink has skipped the step at `position`.
    pub(crate) fn skips(&self, position: u64) -> bool {
        self.until == position && self.skipped.is_some()
    }

    /// The output of the step at `position`, if the sink has skipped it.
    pub(crate) fn take_skipped(&mut self, position: u64) -> Option<V::Output> {
        if self.until == position { self.skipped.take() } else { None }
    }
}

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
            segment: Segment { number: 1, first_values: Vec::new() },
            busy: false,
            last_notified: None,
            wasted: 0,
            good_runs: 0,
            admissions: Admissions { until: 0, skipped: None },
            max_run: MAX_FRONTIER_RUN,
            violated: Vec::new(),
            unrepaired: Vec::new(),
        }
    }
}
