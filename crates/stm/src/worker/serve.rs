//! Making steps final, in order.

use super::{Crew, Worker, since};
use crate::error::StreamError;
use crate::frontier::{Changes, Frontier, History, Recorded, Sink};
use crate::metrics::EventKind;
use crate::predicate::Check;
use crate::sync::atomic::{Ordering, fence};
use crate::vm::{Domain, Repair, Vm};
use crate::window::{Body, Phase};

/// From so many runs ahead of the frontier on, results there are not left to the worker that has them in its caches.
const BACKLOG: u64 = 8;
/// From this many results on that were of no use, speculation pauses.
const FUTILE: u32 = 16;
/// How many of them one that was of use makes up for.
const REDEEMED: u32 = 2;
/// How many steps it pauses for at first. Each time it was still of no use, the pause is twice as long.
const PAUSE: u64 = 32;
/// So many times at most.
const DOUBLINGS: u32 = 6;

/// What validation at the frontier found.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Valid,
    Repaired,
    Invalid,
}

impl<V, S, I, B> Crew<V, S, I, B>
where
    V: Vm,
    S: Sink<V>,
    I: Iterator + Send,
    I::Item: IntoIterator<IntoIter = B>,
    B: Iterator<Item = V::Step> + Send,
{
    /// Serves the frontier for as long as there is something to do there. Returns whether any step became final.
    ///
    /// Results of cheap steps are left to the workers that have them in their caches, unless `everything` is served.
    pub(super) fn serve_frontier(&self, worker: &mut Worker<'_, V>, everything: bool) -> bool {
        let mut progress = false;
        while self.frontier_is_serviceable() && (everything || !self.leaves(worker)) {
            let Some(mut frontier) = self.frontier.try_lock() else { break };
            if std::mem::replace(&mut frontier.busy, true) {
                break;
            }
            self.served.store(true, Ordering::Relaxed);
            let mut moved = false;
            while self.finalize_next(worker, &mut frontier) {
                moved = true;
                if !everything && self.leaves(worker) {
                    break;
                }
            }
            self.served.store(false, Ordering::Relaxed);
            frontier.busy = false;
            drop(frontier);
            if moved {
                progress = true;
                self.shared.signal.notify();
            }
            // A worker that completed the step at the frontier while we held the lock has left it to us: pairs
            // with its fence between storing the phase and trying the lock.
            fence(Ordering::SeqCst);
        }
        progress
    }

    /// Whether to leave the result at the frontier to the worker that it is from.
    fn leaves(&self, worker: &Worker<'_, V>) -> bool {
        let shared = &self.shared;
        let position = shared.frontier.load(Ordering::Relaxed);
        worker.run > 1
            && shared.window.phase(position) == Phase::Done
            && shared.window.slot(position).owner.load(Ordering::Relaxed) != worker.id
            && shared.next.load(Ordering::Relaxed) < position + BACKLOG * worker.run
    }

    fn frontier_is_serviceable(&self) -> bool {
        let shared = &self.shared;
        if shared.stopped() {
            return false;
        }
        let position = shared.frontier.load(Ordering::SeqCst);
        if position == shared.end.load(Ordering::SeqCst) {
            return true;
        }
        position < shared.fed.load(Ordering::Acquire)
            && matches!(shared.window.phase(position), Phase::Ready | Phase::Done | Phase::Blocked)
    }

    /// Makes the step at the frontier final. `false` if somebody else is executing it, nothing is left, or the
    /// stream has ended.
    fn finalize_next(&self, worker: &mut Worker<'_, V>, frontier: &mut Frontier<V, S>) -> bool {
        let shared = &self.shared;
        if shared.stopped() {
            return false;
        }
        let position = shared.frontier.load(Ordering::Relaxed);
        if position == shared.end.load(Ordering::SeqCst) {
            shared.stop();
            return false;
        }
        if position >= shared.fed.load(Ordering::Acquire) {
            return false;
        }
        let phase = shared.window.phase(position);
        if !matches!(phase, Phase::Ready | Phase::Done | Phase::Blocked)
            || !shared.window.claim(position, phase, Phase::Running)
        {
            return false;
        }
        let mut body = shared.window.slot(position).body.lock();
        let verdict = match phase {
            Phase::Done => self.validate(worker, frontier, position, &mut body),
            _ => Verdict::Invalid,
        };
        if phase == Phase::Done {
            let futile = verdict == Verdict::Invalid || body.futile;
            self.judge_speculation(frontier, position, futile);
        }
        let repaired = verdict == Verdict::Repaired;
        let kept = if verdict == Verdict::Invalid { None } else { body.output.take() };
        let executed = kept.is_none();
        let output = kept.map_or_else(
            || {
                worker.metrics.frontier_executions += 1;
                worker.execute(position, &mut body, false)
            },
            Ok,
        );
        match output {
            Ok(output) => {
                let history = History { executions: body.incarnation, conflicts: body.conflicts, repaired };
                self.commit(worker, frontier, position, &mut body, output, executed, history)
            }
            Err(error) => {
                shared.fail(StreamError::Step { position, error });
                false
            }
        }
    }

    /// Has speculation pause while it keeps being of no use: where each step depends on the one before, its results only
    /// cost memory traffic and wake-ups.
    fn judge_speculation(&self, frontier: &mut Frontier<V, S>, position: u64, futile: bool) {
        if !futile {
            frontier.futile = frontier.futile.saturating_sub(REDEEMED);
            return;
        }
        frontier.futile = (frontier.futile + 1).min(FUTILE + DOUBLINGS);
        if let Some(pauses) = frontier.futile.checked_sub(FUTILE) {
            let pause = (PAUSE << pauses).min(self.shared.window.len());
            self.shared.resume.store(position + pause, Ordering::Relaxed);
        }
    }

    /// Whether speculation pauses.
    pub(super) fn pauses(&self) -> bool {
        let shared = &self.shared;
        shared.frontier.load(Ordering::Relaxed) < shared.resume.load(Ordering::Relaxed)
    }

    /// Tests a result against final state, and repairs it if it can be. Otherwise readers of its effects are told
    /// to wait.
    fn validate(
        &self,
        worker: &mut Worker<'_, V>,
        frontier: &mut Frontier<V, S>,
        position: u64,
        body: &mut Body<V>,
    ) -> Verdict {
        let start = worker.now();
        let store = &self.shared.store;
        let violated = &mut frontier.violated;
        let mut moved = false;
        let mut kinds = [false; 64];
        violated.clear();
        for observed in &body.record.observations {
            if store.stamp(observed.entry) == observed.stamp {
                continue;
            }
            let (_, value) = store.read_final(observed.entry);
            match V::Domain::check(&observed.observation, &value) {
                Check::Holds => {}
                Check::Moved => moved = true,
                Check::Violated(kind) => {
                    kinds[kind % 64] = true;
                    violated.push((observed.entry, observed.observation, value));
                }
            }
        }
        let verdict = if violated.is_empty() {
            worker.metrics.moved += u64::from(moved);
            Verdict::Valid
        } else {
            worker.note(position, EventKind::Conflict, start);
            worker.count_conflict((0..V::Domain::KINDS.len()).filter(|kind| kinds[kind % 64]));
            body.conflicts += 1;
            let unrepaired = &mut frontier.unrepaired;
            unrepaired.clone_from(&body.record.effects);
            let effects = &mut body.record.effects;
            let repaired = match (&body.step, &mut body.output) {
                (Some(step), Some(output)) => {
                    worker.vm.repair(step, &mut Repair { violated, effects, output })
                }
                _ => false,
            };
            // Effects that the hook removed are still visible to later steps.
            unrepaired.retain(|(entry, _)| !effects.iter().any(|(kept, _)| kept == entry));
            store.retract(position, u32::MAX, unrepaired);
            if repaired {
                worker.metrics.repairs += 1;
                worker.note(position, EventKind::Repair, start);
                Verdict::Repaired
            } else {
                self.shared.window.set(position, Phase::Rerunning);
                store.rerun(position, &body.record.effects);
                Verdict::Invalid
            }
        };
        worker.metrics.validate_time += since(start);
        verdict
    }

    #[expect(clippy::too_many_arguments, reason = "one call, and each names a different thing")]
    fn commit(
        &self,
        worker: &mut Worker<'_, V>,
        frontier: &mut Frontier<V, S>,
        position: u64,
        body: &mut Body<V>,
        output: V::Output,
        executed: bool,
        history: History,
    ) -> bool {
        let shared = &self.shared;
        let start = worker.now();
        let Frontier { sink, segment, .. } = &mut *frontier;
        let sink = sink.as_mut().expect("the sink stays until the last worker has left");
        let record = if executed { &worker.view().record } else { &body.record };
        if let Some(step) = &body.step {
            sink.record(step, &output, &Recorded { store: &shared.store, record });
        }
        for (entry, effect) in record.all_effects() {
            if let Some(before) = shared.store.commit(*entry, position, effect, segment.number) {
                segment.first_values.push((*entry, before));
            }
        }
        if executed {
            shared.store.retract(position, u32::MAX, &body.record.effects);
        }
        let step = body.step.take().expect("a step in flight is in its slot");
        let mut changes = Changes { store: &shared.store, segment };
        if let Err(error) = sink.finalize(step, output, &mut changes, history) {
            shared.fail(StreamError::Step { position, error });
            return false;
        }
        worker.metrics.steps += 1;
        worker.metrics.commit_time += since(start);
        shared.window.set(position, Phase::Vacant);
        shared.frontier.store(position + 1, Ordering::SeqCst);
        shared.signal.notify_paced(&mut frontier.told);
        true
    }
}
