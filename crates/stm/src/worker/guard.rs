//! Calls of the VM, with panics caught: a speculative execution may read values that no serial execution would, and panic over them.

use super::{Worker, since};
use crate::error::{StreamError, message};
use crate::metrics::EventKind;
use crate::vm::Vm;
use crate::window::Body;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Why a step has no result.
pub(super) enum Failure<E> {
    /// The VM's error.
    Error(E),
    /// The VM panicked with this message.
    Panic(String),
}

impl<E> Failure<E> {
    /// The error that ends the stream if the step at `position` failed like this at its turn.
    pub(super) fn at(self, position: u64) -> StreamError<E> {
        match self {
            Self::Error(error) => StreamError::Step { position, error },
            Self::Panic(message) => StreamError::Panic { position: Some(position), message },
        }
    }
}

impl<'r, V: Vm> Worker<'r, V> {
    /// Calls the VM. A panic may leave the worker's state half-changed, so it is made anew.
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

    /// Begins a run with the step in `body`: prefetches if it is time to, and clears the view.
    pub(super) fn begin(&mut self, position: u64, body: &Body<V>, speculative: bool) {
        if let Some((step, count)) = self.prefetch_due(position, body) {
            // A failure here does not count: the execution that needs the value fails, too.
            let _ = self.guarded(|vm, state| {
                vm.prefetch(state, step, count);
                Ok(())
            });
        }
        let always = self.vm.records_always();
        self.view().begin(position, speculative, always);
    }

    /// Executes the step in `body`, the first of a run or the next one. Its record stays in the view. Gives the output, and whether the
    /// next step may join the run.
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
            self.record_event(position, kind, start);
        }
        result
    }

    /// Asks the VM about the failure of the step in `body` at its turn. Gives the output with which the step becomes final, or the
    /// failure that ends the stream.
    pub(super) fn reject(
        &mut self,
        body: &Body<V>,
        failure: Failure<V::Error>,
    ) -> Result<V::Output, Failure<V::Error>> {
        let Failure::Error(error) = failure else { return Err(failure) };
        let step = body.step.as_ref().expect("a step in flight is in its slot");
        self.guarded(|vm, _| vm.reject(step, error))
    }

    /// Ends a run: the VM reports the rest of its observations and effects.
    pub(super) fn report(&mut self, output: &mut V::Output) -> Result<(), Failure<V::Error>> {
        self.guarded(|vm, state| vm.report(state, output))
    }
}
