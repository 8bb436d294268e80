//! Calls of the VM by a worker.

use super::Worker;
use crate::guard::{Failure, guarded, prefetch};
use crate::metrics::{EventKind, since};
use crate::vm::Vm;
use crate::window::Body;

impl<'r, V: Vm> Worker<'r, V> {
    fn guarded<T>(
        &mut self,
        call: impl FnOnce(&'r V, &mut V::Worker<'r>) -> Result<T, V::Error>,
    ) -> Result<T, Failure<V::Error>> {
        guarded(self.vm, &mut self.state, call)
    }

    /// Begins a run with the step in `body`: prefetches if it is time to, and clears the view.
    pub(super) fn begin(&mut self, position: u64, body: &Body<V>, speculative: bool) {
        if self.prefetching.is_due(position, self.metrics.executions)
            && let Some(step) = &body.step
        {
            let _ = prefetch(self.vm, &mut self.state, step);
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

    /// Ends a run: the VM reports the rest of its observations and effects.
    pub(super) fn report(&mut self, output: &mut V::Output) -> Result<(), Failure<V::Error>> {
        self.guarded(|vm, state| vm.report(state, output))
    }
}
