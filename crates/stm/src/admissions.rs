use crate::sink::{Admission, Sink};
use crate::vm::Vm;

/// The sink's answers to [`Sink::admit`] for steps that are not final yet, so that it is asked about each step once.
pub(crate) struct Admissions<V: Vm> {
    /// All steps before this position are admitted or final.
    until: u64,
    /// The output of the step at `until`, if the sink skips it.
    skipped: Option<V::Output>,
}

impl<V: Vm> Default for Admissions<V> {
    fn default() -> Self {
        Self { until: 0, skipped: None }
    }
}

impl<V: Vm> Admissions<V> {
    /// Whether the sink admits the step at `position`. Asks unless it has answered.
    pub(crate) fn ask(
        &mut self,
        sink: &mut impl Sink<V>,
        position: u64,
        step: &V::Step,
        output: &mut Option<V::Output>,
    ) -> bool {
        if position < self.until {
            return true;
        }
        if self.skips(position) {
            return false;
        }
        self.until = position;
        match sink.admit(step, output.as_mut().expect("a step that was executed has an output")) {
            Admission::Take => self.until = position + 1,
            Admission::Skip => self.skipped = output.take(),
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
