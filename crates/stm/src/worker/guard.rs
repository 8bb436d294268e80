//! What the VM does for a worker, with panics held back: what it executes ahead of its turn may be shown values that never were.

use super::{Worker, since};
use crate::error::{StreamError, message};
use crate::metrics::EventKind;
use crate::vm::Vm;
use crate::window::Body;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Why a step has no result.
pub(super) enum Failure<E> {
    /// The VM says so.
    Error(E),
    /// It panicked, with this message.
    Panic(String),
}

impl<E> Failure<E> {
    /// The error of a stream whose step at `position` failed at its turn.
    pub(super) fn at(self, position: u64) -> StreamError<E> {
        match self {
            Self::Error(error) => StreamError::Step { position, error },
            Self::Panic(message) => StreamError::Panic { position: Some(position), message },
        }
    }
}

impl<'r, V: Vm> Worker<'r, V> {
    /// Has the VM do something. After a panic its state is made anew, since it may have been left half-way.
    fn guarded<T>(
        &mut self,
        call: impl FnOnce(&'r V, &mut V::Worker<'r>) -> Result<T, V::Error>,
    ) -> Result<T, Failure<V::Error>> {
        let (vm, state) = (self.vm, &mut self.state);
        match catch_unwind(AssertUnwindSafe(|| call(vm, state))) {
            Ok(Ok(result)) => Ok(result),
            Ok(Err(error)) => Err(Failure::Error(error)),
            Err(panic) => {
                let view = self.view().successor();
                let old = std::mem::replace(&mut self.state, vm.worker(view));
                let _ = catch_unwind(AssertUnwindSafe(|| drop(old)));
                Err(Failure::Panic(message(panic)))
            }
        }
    }

    /// Begins a run with the step in `body`.
    pub(super) fn begin(&mut self, position: u64, body: &Body<V>, speculative: bool) {
        if let Some((step, count)) = self.approaches(position, body) {
            // Whatever it fetches in vain, the step that needs it will tell.
            let _ = self.guarded(|vm, state| {
                vm.approach(state, step, count);
                Ok(())
            });
        }
        let always = self.vm.records_always();
        self.view().begin(position, speculative, always);
    }

    /// Executes the step in `body`, the first of a run or the next one; what it recorded stays in the view. Says, too, whether the step
    /// behind it may be executed in one run with it.
    pub(super) fn execute(
        &mut self,
        position: u64,
        body: &mut Body<V>,
        speculative: bool,
    ) -> Result<(V::Output, bool), Failure<V::Error>> {
        self.metrics.executions += 1;
        self.metrics.frontier_executions += u64::from(!speculative);
        if body.incarnation > 0 {
            self.metrics.reexecutions += 1;
            self.metrics.early_reexecutions += u64::from(speculative);
        }
        body.incarnation += 1;
        let waited = self.view().waited;
        let start = self.now();
        let step = body.step.as_ref().expect("a step in flight is in its slot");
        let result = self.guarded(|vm, state| {
            let output = vm.execute(state, step)?;
            Ok((output, vm.continues(state)))
        });
        self.metrics.execute_time += since(start);
        if self.timeline.is_some() {
            let waited = self.view().waited - waited;
            let (incarnation, failed) = (body.incarnation - 1, result.is_err());
            let kind = EventKind::Execution { speculative, incarnation, failed, waited };
            self.note(position, kind, start);
        }
        result
    }

    /// What the failure of the step in `body` at its turn means: its output if it becomes final, or why the stream ends.
    pub(super) fn reject(
        &mut self,
        body: &Body<V>,
        failure: Failure<V::Error>,
    ) -> Result<V::Output, Failure<V::Error>> {
        let Failure::Error(error) = failure else { return Err(failure) };
        let step = body.step.as_ref().expect("a step in flight is in its slot");
        self.guarded(|vm, _| vm.reject(step, error))
    }

    /// Ends a run.
    pub(super) fn report(&mut self, output: &mut V::Output) -> Result<(), Failure<V::Error>> {
        self.guarded(|vm, state| vm.report(state, output))
    }
}
