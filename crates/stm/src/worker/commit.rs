//! Making steps final, as far as the sink takes them.

use super::{Crew, Worker, since};
use crate::error::StreamError;
use crate::frontier::Frontier;
use crate::shared::LONGEST_AT_FRONTIER;
use crate::sink::{Changes, History, Outcome, Recorded, Sink};
use crate::sync::atomic::Ordering;
use crate::vm::Vm;
use crate::window::{Body, Phase};

impl<V: Vm, S: Sink<V>, F> Crew<V, S, F> {
    /// Makes the step at the frontier final, with its run if that is taken as a whole: by the result in `body` if it is `valid`, else
    /// by executing it on the spot. `false` if the stream has ended.
    ///
    /// A run of which the sink skips a step is taken apart: those before that step execute again, without it.
    pub(super) fn settle(
        &self,
        worker: &mut Worker<'_, V>,
        frontier: &mut Frontier<V, S>,
        position: u64,
        body: &mut Body<V>,
        valid: bool,
    ) -> bool {
        let mut execute = (!valid).then(|| self.longest_at_frontier(worker, frontier, position));
        loop {
            if let Some(most) = execute {
                self.dissolve(position, body);
                if let Err(failure) = self.execute_run(worker, position, body, false, most, None) {
                    return match worker.reject(body, failure) {
                        Ok(output) => {
                            self.leave_out(worker, frontier, position, body, output, Outcome::Rejected)
                        }
                        Err(failure) => {
                            self.shared.fail(failure.at(position));
                            false
                        }
                    };
                }
            }
            let taken = self.admit(frontier, position, body);
            if taken == body.len {
                return self.commit(worker, frontier, position, body, execute.is_some());
            }
            frontier.together = 1;
            if let Some(output) = frontier.asked.take_skipped(position) {
                return self.leave_out(worker, frontier, position, body, output, Outcome::Skipped);
            }
            if execute.is_none() {
                self.shorten_runs(frontier, body.len);
                self.make_wait(position, body);
            }
            execute = Some(taken);
        }
    }

    /// Has readers of the effects of the result in `body`, which belongs to the caller, wait until it is executed again.
    pub(super) fn make_wait(&self, position: u64, body: &Body<V>) {
        self.shared.window.set(position, Phase::Rerunning);
        self.shared.store.rerun(position, &body.record.effects);
    }

    /// Asks the sink about the steps of a run, in order. Gives how many it takes, up to the first that it skips.
    fn admit(&self, frontier: &mut Frontier<V, S>, position: u64, body: &mut Body<V>) -> u64 {
        let Frontier { sink, asked, .. } = frontier;
        let sink = sink.as_mut().expect("the sink stays until the last worker has left");
        if sink.takes_all() {
            return body.len;
        }
        if !asked.ask(sink, position, body) {
            return 0;
        }
        let skipped = (1..body.len).find(|member| {
            let step = position + member;
            !asked.ask(sink, step, &mut self.shared.window.slot(step).body.lock())
        });
        skipped.unwrap_or(body.len)
    }

    /// Makes the run of steps that begins at `position` final: as it was `executed` just now, or as it is in `body`.
    fn commit(
        &self,
        worker: &mut Worker<'_, V>,
        frontier: &mut Frontier<V, S>,
        position: u64,
        body: &mut Body<V>,
        executed: bool,
    ) -> bool {
        let shared = &self.shared;
        let start = worker.now();
        let Frontier { sink, segment, .. } = &mut *frontier;
        let sink = sink.as_mut().expect("the sink stays until the last worker has left");
        let record = if executed { &worker.view().record } else { &body.record };
        if let (1, Some(step), Some(output)) = (body.len, &body.step, &body.output) {
            sink.record(step, output, &Recorded { store: &shared.store, record });
        }
        for (entry, effect) in record.all_effects() {
            if let Some(before) = shared.store.commit(*entry, position, effect, segment.number) {
                segment.first_values.push((*entry, before));
            }
        }
        if executed {
            shared.store.retract(position, u32::MAX, &body.record.effects);
        }
        let end = position + body.len;
        let done = self.finalize(worker, frontier, position, body, end, Outcome::Taken)
            && (position + 1..end).all(|step| {
                let mut body = shared.window.slot(step).body.lock();
                self.finalize(worker, frontier, step, &mut body, end, Outcome::Taken)
            });
        if !done {
            return false;
        }
        let metrics = &mut worker.metrics;
        let runs = if executed { &mut metrics.runs_at_frontier } else { &mut metrics.runs_ahead };
        runs[(end - position).ilog2() as usize] += 1;
        metrics.commit_time += since(start);
        frontier.together = (frontier.together * 2).min(LONGEST_AT_FRONTIER);
        self.advance(frontier, end);
        true
    }

    /// Makes the step at `position` final with `output`, and without effects: whatever it did, and those behind it in its run, is
    /// taken back.
    pub(super) fn leave_out(
        &self,
        worker: &mut Worker<'_, V>,
        frontier: &mut Frontier<V, S>,
        position: u64,
        body: &mut Body<V>,
        output: V::Output,
        outcome: Outcome,
    ) -> bool {
        self.dissolve(position, body);
        self.shared.store.retract(position, u32::MAX, &body.record.effects);
        body.output = Some(output);
        let metrics = &mut worker.metrics;
        match outcome {
            Outcome::Rejected => metrics.rejected += 1,
            _ => metrics.skipped += 1,
        }
        let end = position + 1;
        let done = self.finalize(worker, frontier, position, body, end, outcome);
        if done {
            self.advance(frontier, end);
        }
        done
    }

    /// Hands a step to the sink, which is final with those before `end`. `false` if that ends the stream.
    fn finalize(
        &self,
        worker: &mut Worker<'_, V>,
        frontier: &mut Frontier<V, S>,
        step: u64,
        body: &mut Body<V>,
        end: u64,
        outcome: Outcome,
    ) -> bool {
        let shared = &self.shared;
        let Frontier { role, sink, segment, .. } = frontier;
        let sink = sink.as_mut().expect("the sink stays until the last worker has left");
        let Body { incarnation: executions, conflicts, repaired, .. } = *body;
        let history = History { executions, conflicts, repaired, outcome };
        let input = body.step.take().expect("a step in flight is in its slot");
        let output = body.output.take().expect("a step that was executed has an output");
        let mut changes = Changes { store: &shared.store, segment };
        if let Err(error) = sink.finalize(input, output, &mut changes, history) {
            shared.fail(StreamError::Step { position: step, error });
            return false;
        }
        worker.metrics.steps += 1;
        let next = shared.window.slot(step).next.load(Ordering::Relaxed);
        if next > end + 1 {
            shared.released.put(role, next);
        }
        shared.window.set(step, Phase::Vacant);
        true
    }

    /// Moves the frontier to `end`.
    fn advance(&self, frontier: &mut Frontier<V, S>, end: u64) {
        self.shared.frontier.advance(&mut frontier.role, end);
        self.shared.signal.notify_paced(&mut frontier.told);
    }
}
