use super::Serial;
use crate::guard::{Failure, guarded, prefetch};
use crate::metrics::{Event, EventKind, since};
use crate::sink::Sink;
use crate::vm::Vm;
use std::time::Duration;

/// The index in its run of a step that failed, and why it did.
type Failed<V> = (u64, Failure<<V as Vm>::Error>);

impl<V, S, I, B> Serial<'_, V, S, I, B>
where
    V: Vm,
    S: Sink<V>,
    I: Iterator<Item: IntoIterator<IntoIter = B>>,
    B: Iterator<Item = V::Step>,
{
    /// Executes the next step and those behind it that may join its run, `most` at most. Gives their number, or why the first failed.
    ///
    /// If a later step fails, the run executes again without that step, so that its record has nothing of it.
    pub(super) fn execute_run(&mut self, most: u64) -> Result<u64, Failure<V::Error>> {
        let mut most = most;
        loop {
            match self.try_run(most) {
                Ok(len) => return Ok(len),
                Err((0, failure)) => return Err(failure),
                Err((at, _)) => {
                    self.shorten_runs();
                    most = at;
                }
            }
        }
    }

    /// Executes a run once.
    fn try_run(&mut self, most: u64) -> Result<u64, Failed<V>> {
        let position = self.steps.position();
        // If it panics here, there is no record to lose.
        let _ = self.prefetch(0);
        let always = self.vm.records_always();
        self.view().begin(position, false, always);
        let mut open = self.execute_step(0).map_err(|failure| (0, failure))?;
        let mut len = 1;
        while open && len < most && !self.control.stopped() && self.steps.pull_in_batch(len) {
            self.view().proceed();
            open = self.execute_step(len).map_err(|failure| (len, failure))?;
            len += 1;
        }
        let start = self.now();
        let (_, output) = self.steps.with_output(0);
        let output = output.as_mut().expect("the step was executed");
        let reported = guarded(self.vm, &mut self.state, |vm, state| vm.report(state, output));
        self.metrics.execute_time += since(start);
        // The report does not say which step failed. Shorter runs find it.
        reported.map_err(|failure| (len / 2, failure))?;
        self.metrics.joined += len - 1;
        Ok(len)
    }

    /// Lets the VM prefetch for a step and those behind it, if it is time to.
    fn prefetch(&mut self, ahead: u64) -> Result<(), Failure<V::Error>> {
        if self.prefetching.is_due(self.steps.position() + ahead, self.metrics.executions) {
            prefetch(self.vm, &mut self.state, self.steps.step(ahead))?;
        }
        Ok(())
    }

    /// Executes a step of a run. Whether the next step may join the run.
    fn execute_step(&mut self, ahead: u64) -> Result<bool, Failure<V::Error>> {
        if ahead > 0 {
            self.prefetch(ahead)?;
        }
        let position = self.steps.position() + ahead;
        let start = self.now();
        let (step, incarnation) = self.steps.count_execution(ahead);
        let result = guarded(self.vm, &mut self.state, |vm, state| {
            let output = vm.execute(state, step)?;
            Ok((output, vm.continues(state)))
        });
        self.metrics.executions += 1;
        self.metrics.frontier_executions += 1;
        self.metrics.reexecutions += u64::from(incarnation > 0);
        let time = since(start);
        self.metrics.execute_time += time;
        if let (Some(timeline), Some(start)) = (&mut self.timeline, start) {
            let (failed, waited) = (result.is_err(), Duration::ZERO);
            let kind = EventKind::Execution { speculative: false, incarnation, failed, waited };
            timeline.push(Event { position, kind, start: start - self.start, time });
        }
        let (output, open) = result?;
        *self.steps.with_output(ahead).1 = Some(output);
        Ok(open)
    }
}
