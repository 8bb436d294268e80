//! Making steps final: admission by the sink, commit, and steps that become final without effects.

use super::{Stream, Worker};
use crate::error::StreamError;
use crate::frontier::Frontier;
use crate::guard::reject;
use crate::metrics::since;
use crate::shared::MAX_FRONTIER_RUN;
use crate::sink::{Changes, History, Outcome, Recorded, Sink};
use crate::sync::atomic::Ordering;
use crate::values::Values;
use crate::vm::Vm;
use crate::window::{Body, Phase};

impl<V: Vm, S: Sink<V>, F> Stream<V, S, F> {
    /// Makes the step at the frontier final, together with the other steps of its run if the sink takes them all. Uses the result in `body`
    /// if it is `valid`, else executes the step on the spot. `false` if the stream has ended.
    ///
    /// If the sink skips a step of the run, the run is dissolved, and the steps before that one execute again as a shorter run.
    pub(super) fn settle(
        &self,
        worker: &mut Worker<'_, V>,
        frontier: &mut Frontier<V, S>,
        position: u64,
        body: &mut Body<V>,
        valid: bool,
    ) -> bool {
        let mut execute = (!valid).then(|| self.frontier_run_limit(worker, frontier, position));
        loop {
            if let Some(most) = execute {
                self.dissolve(position, body);
                if let Err(failure) = self.execute_run(worker, position, body, false, most, None) {
                    let step = body.step.as_ref().expect("a step in flight is in its slot");
                    return match reject(worker.vm, &mut worker.state, step, failure) {
                        Ok(output) => self.finalize_without_effects(
                            worker,
                            frontier,
                            position,
                            body,
                            output,
                            Outcome::Rejected,
                        ),
                        Err(failure) => {
                            self.shared.control.fail(failure.at(position));
                            false
                        }
                    };
                }
            }
            let taken = self.admit(frontier, position, body);
            if taken == body.len {
                return self.commit(worker, frontier, position, body, execute.is_some());
            }
            frontier.max_run = 1;
            if let Some(output) = frontier.admissions.take_skipped(position) {
                return self.finalize_without_effects(
                    worker,
                    frontier,
                    position,
                    body,
                    output,
                    Outcome::Skipped,
                );
            }
            if execute.is_none() {
                self.shorten_runs(frontier, body.len);
                self.mark_reexecuting(position, body);
            }
            execute = Some(taken);
        }
    }

    /// Marks the step, which the caller owns, as executing again: its published effects become estimates, and their readers wait.
    pub(super) fn mark_reexecuting(&self, position: u64, body: &Body<V>) {
        self.shared.window.set(position, Phase::Reexecuting);
        self.shared.store.mark_estimates(position, &body.record.effects);
    }

    /// Asks the sink about the steps of a run, in order. Gives how many it takes before the first that it skips.
    fn admit(&self, frontier: &mut Frontier<V, S>, position: u64, body: &mut Body<V>) -> u64 {
        let Frontier { sink, admissions, .. } = frontier;
        let sink = sink.as_mut().expect("the sink stays until the last worker has left");
        if sink.takes_all() {
            return body.len;
        }
        let mut ask = |position, body: &mut Body<V>| {
            let step = body.step.as_ref().expect("a step in flight is in its slot");
            admissions.ask(sink, position, step, &mut body.output)
        };
        if !ask(position, body) {
            return 0;
        }
        let skipped = (1..body.len).find(|member| {
            let step = position + member;
            !ask(step, &mut self.shared.window.slot(step).body.lock())
        });
        skipped.unwrap_or(body.len)
    }

    /// Makes the run that begins at `position` final: by the record in the view if it was `executed` just now, else by the one in `body`.
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
            sink.record(step, output, &Recorded { values: Values::Versions(&shared.store), record });
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
        frontier.max_run = (frontier.max_run * 2).min(MAX_FRONTIER_RUN);
        self.advance(frontier, end);
        true
    }

    /// Makes the step at `position` final with `output` and without effects. Retracts the published effects of its run, and dissolves the
    /// run.
    pub(super) fn finalize_without_effects(
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

    /// Hands a final step of a run that ends before `end` to the sink, and frees its slot. `false` if the sink ends the stream.
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
        let mut changes = Changes { values: Values::Versions(&shared.store), segment };
        let start = worker.now();
        let finalized = sink.finalize(input, output, &mut changes, history);
        worker.metrics.sink_time += since(start);
        if let Err(error) = finalized {
            shared.control.fail(StreamError::Step { position: step, error });
            return false;
        }
        worker.metrics.steps += 1;
        let successor = shared.window.slot(step).successor.load(Ordering::Relaxed);
        if successor > end + 1 {
            shared.released.put(role, successor);
        }
        shared.window.set(step, Phase::Vacant);
        true
    }

    /// Moves the frontier to `end`.
    fn advance(&self, frontier: &mut Frontier<V, S>, end: u64) {
        self.shared.frontier.advance(&mut frontier.role, end);
        self.shared.control.signal.notify_paced(&mut frontier.last_notified);
    }
}
