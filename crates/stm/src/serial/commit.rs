use super::{Serial, TABLE};
use crate::error::StreamError;
use crate::metrics::since;
use crate::sink::{Changes, History, Outcome, Recorded, Sink};
use crate::values::Values;
use crate::vm::Vm;

impl<V: Vm, S: Sink<V>, I, B> Serial<'_, V, S, I, B> {
    /// Asks the sink about the steps of a run, in order. Gives how many it takes before the first that it skips.
    pub(super) fn admit(&mut self, len: u64) -> u64 {
        if self.sink.takes_all() {
            return len;
        }
        let Self { sink, admissions, steps, .. } = self;
        let position = steps.position();
        let skipped = (0..len).find(|ahead| {
            let (step, output) = steps.with_output(*ahead);
            !admissions.ask(*sink, position + ahead, step, output)
        });
        skipped.unwrap_or(len)
    }

    /// Makes the steps of a run final, by the record in the view.
    pub(super) fn commit(&mut self, len: u64) -> Result<(), StreamError<V::Error>> {
        let start = self.now();
        let (table, record) = self.vm.view(&mut self.state).table().expect(TABLE);
        if let (1, (step, Some(output))) = (len, self.steps.with_output(0)) {
            self.sink.record(step, output, &Recorded { values: Values::Table(table), record });
        }
        table.commit(record, &mut self.segment);
        let end = self.steps.position() + len;
        self.view().end_run(end);
        for _ in 0..len {
            self.finalize(Outcome::Taken)?;
        }
        self.metrics.count_run_at_frontier(len);
        self.metrics.commit_time += since(start);
        self.max_run = self.max_run.saturating_mul(2).min(self.longest);
        Ok(())
    }

    /// Makes the next step final with `output` and without effects.
    pub(super) fn finalize_without_effects(
        &mut self,
        output: V::Output,
        outcome: Outcome,
    ) -> Result<(), StreamError<V::Error>> {
        match outcome {
            Outcome::Rejected => self.metrics.rejected += 1,
            _ => self.metrics.skipped += 1,
        }
        *self.steps.with_output(0).1 = Some(output);
        self.finalize(outcome)
    }

    /// Hands the next step to the sink, as final.
    fn finalize(&mut self, outcome: Outcome) -> Result<(), StreamError<V::Error>> {
        let position = self.steps.position();
        let (step, output, executions) = self.steps.take();
        let output = output.expect("a final step has an output");
        let history = History { executions, conflicts: 0, repaired: false, outcome };
        let start = self.now();
        let (table, _) = self.vm.view(&mut self.state).table().expect(TABLE);
        let mut changes = Changes { values: Values::Table(table), segment: &mut self.segment };
        let finalized = self.sink.finalize(step, output, &mut changes, history);
        self.metrics.sink_time += since(start);
        finalized.map_err(|error| StreamError::Step { position, error })?;
        self.metrics.steps += 1;
        Ok(())
    }
}
