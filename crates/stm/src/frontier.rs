use crate::cursors::AtFrontier;
use crate::record::{Effects, Violation};
use crate::shared::LONGEST_AT_FRONTIER;
use crate::sink::{Admission, Segment, Sink};
use crate::vm::Vm;
use crate::window::Body;
use std::time::Instant;

/// How far the sink was asked which steps it takes.
pub(crate) struct Asked<V: Vm> {
    /// All steps before this one are taken, or are final.
    until: u64,
    /// The output of the step at `until`, if that is skipped.
    skipped: Option<V::Output>,
}

impl<V: Vm> Asked<V> {
    /// Asks about the step at `position` unless it was asked about. Whether it is taken.
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

    /// Whether the step at `position` is known to be skipped.
    pub(crate) fn skips(&self, position: u64) -> bool {
        self.until == position && self.skipped.is_some()
    }

    /// The output of the step at `position` if it is known to be skipped.
    pub(crate) fn take_skipped(&mut self, position: u64) -> Option<V::Output> {
        if self.until == position { self.skipped.take() } else { None }
    }
}

/// What belongs to the holder of the frontier.
pub(crate) struct Frontier<V: Vm, S> {
    pub(crate) role: AtFrontier,
    /// Dropped when the last worker leaves, so that a consumer behind it sees the end.
    pub(crate) sink: Option<S>,
    pub(crate) segment: Segment<V::Domain>,
    /// Set while a holder is at work. Found set on acquiring the lock, it tells that the last holder panicked.
    pub(crate) busy: bool,
    /// When waiters were last told that the frontier moved.
    pub(crate) told: Option<Instant>,
    /// How many results it was of no use to have before their turn, less what others made up for.
    pub(crate) futile: u32,
    /// Runs that held, since how long they may be was last changed.
    pub(crate) good_runs: u32,
    /// How far the sink was asked.
    pub(crate) asked: Asked<V>,
    /// How many steps run at the frontier together at most: one after a step that the sink skipped, twice as many after a run that
    /// it took. Where most are skipped, each would otherwise take a run apart.
    pub(crate) together: u64,
    /// Scratch: the violated observations of one result, with the values that are true now.
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
            told: None,
            futile: 0,
            good_runs: 0,
            asked: Asked { until: 0, skipped: None },
            together: LONGEST_AT_FRONTIER,
            violated: Vec::new(),
            unrepaired: Vec::new(),
        }
    }
}
