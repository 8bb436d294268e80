//! Serving the frontier: validates, repairs or executes the step there.

use super::{Stream, Worker};
use crate::domain::Domain;
use crate::frontier::Frontier;
use crate::metrics::{EventKind, since};
use crate::predicate::Check;
use crate::shared::MAX_RUN;
use crate::sink::{Outcome, Sink};
use crate::sync::atomic::{Ordering, fence};
use crate::tallies::FLUSH_INTERVAL;
use crate::vm::{Repair, Vm};
use crate::window::{Body, Phase};

/// Results at the frontier are left to the worker that has them in its caches, unless speculation is so many claims ahead.
const BACKLOG: u64 = 8;
/// Speculation pauses after so many wasted results.
const MAX_WASTED: u32 = 16;
/// How many wasted results a useful one makes up for.
const USEFUL_CREDIT: u32 = 2;
/// The first pause, in steps. Each further wasted result doubles it.
const PAUSE: u64 = 32;
/// How often a pause is doubled at most.
const DOUBLINGS: u32 = 6;

/// After so many valid runs of the longest length allowed, that length grows by one step.
const LENGTHEN: u32 = 8;

impl<V: Vm, S: Sink<V>, F> Stream<V, S, F> {
    /// Serves the frontier for as long as the step there can become final. Returns whether any step did.
    ///
    /// Results of cheap steps are left to the workers that have them in their caches, unless `everything` is to be served.
    pub(super) fn serve_frontier(&self, worker: &mut Worker<'_, V>, everything: bool) -> bool {
        let mut progress = false;
        while self.frontier_is_serviceable() && (everything || !self.leaves_to_owner(worker)) {
            let Some(mut frontier) = self.frontier.try_lock() else {
                worker.metrics.lost_locks += 1;
                break;
            };
            if std::mem::replace(&mut frontier.busy, true) {
                break;
            }
            self.served.store(true, Ordering::Relaxed);
            let mut moved = false;
            while self.finalize_next(worker, &mut frontier) {
                moved = true;
                worker.flush_counters(FLUSH_INTERVAL, &self.shared.control.tallies);
                if !everything && self.leaves_to_owner(worker) {
                    break;
                }
            }
            self.served.store(false, Ordering::Relaxed);
            frontier.busy = false;
            drop(frontier);
            if moved {
                progress = true;
                self.shared.control.signal.notify();
            }
            // A worker that completed the step at the frontier while the lock was held has left it to this one. Pairs with its fence
            // between storing the phase and trying the lock.
            fence(Ordering::SeqCst);
        }
        progress
    }

    /// Whether to leave the result at the frontier to the worker that executed it.
    fn leaves_to_owner(&self, worker: &Worker<'_, V>) -> bool {
        let shared = &self.shared;
        let position = shared.frontier.hint();
        worker.claim_size > 1
            && shared.window.phase(position) == Phase::Done
            && shared.window.slot(position).owner.load(Ordering::Relaxed) != worker.id
            && shared.next.get() < position + BACKLOG * worker.claim_size
    }

    fn frontier_is_serviceable(&self) -> bool {
        let shared = &self.shared;
        if shared.control.stopped() {
            return false;
        }
        let position = shared.frontier.get_in_order();
        if position == shared.end.get_in_order() {
            return true;
        }
        position < shared.fed.get()
            && matches!(shared.window.phase(position), Phase::Ready | Phase::Done | Phase::Blocked)
    }

    /// Makes the step at the frontier final. `false` if another worker is executing it, no step is left, or the stream has ended.
    fn finalize_next(&self, worker: &mut Worker<'_, V>, frontier: &mut Frontier<V, S>) -> bool {
        let shared = &self.shared;
        if shared.control.stopped() {
            return false;
        }
        let position = shared.frontier.hint();
        if position == shared.end.get_in_order() {
            shared.control.end_round();
            return false;
        }
        if position >= shared.fed.get() {
            return false;
        }
        let phase = shared.window.phase(position);
        if !matches!(phase, Phase::Ready | Phase::Done | Phase::Blocked) {
            return false;
        }
        if !shared.window.claim(position, phase, Phase::Executing) {
            worker.metrics.lost_claims += 1;
            return false;
        }
        let mut body = shared.window.slot(position).body.lock();
        if let Some(output) = frontier.admissions.take_skipped(position) {
            return self.finalize_without_effects(
                worker,
                frontier,
                position,
                &mut body,
                output,
                Outcome::Skipped,
            );
        }
        let valid = phase == Phase::Done && self.validate(worker, frontier, position, &mut body);
        if phase == Phase::Done {
            self.adapt_speculation(frontier, position, !valid || body.wasted);
            self.adapt_run_length(frontier, body.len, valid);
            self.learn_class(&body);
        } else if phase == Phase::Ready
            && body.near_predecessor
            && let Some(class) = body.class.filter(|class| shared.classes.is_contended(*class))
        {
            // It was queued behind its predecessor, and came to its turn before any worker could execute it.
            self.adapt_speculation(frontier, position, true);
            if frontier.wasted >= MAX_WASTED {
                shared.classes.decay(class);
            }
        }
        self.settle(worker, frontier, position, &mut body, valid)
    }

    /// Upper bound on the length of a run that begins at the frontier now, in steps.
    pub(super) fn frontier_run_limit(
        &self,
        worker: &Worker<'_, V>,
        frontier: &Frontier<V, S>,
        position: u64,
    ) -> u64 {
        let shared = &self.shared;
        let paused = shared.resume.get().saturating_sub(position);
        let ahead = worker.claim_size.min(shared.max_run.get());
        paused.max(ahead).min(frontier.max_run)
    }

    /// Adapts the longest length of speculative runs: half after an invalid run, a step more after some valid ones of that length.
    fn adapt_run_length(&self, frontier: &mut Frontier<V, S>, len: u64, valid: bool) {
        let max_run = &self.shared.max_run;
        let old = max_run.get();
        if !valid {
            self.shorten_runs(frontier, len);
        } else if len == old && old < MAX_RUN {
            frontier.good_runs += 1;
            if frontier.good_runs == LENGTHEN {
                max_run.set(&mut frontier.role, old + 1);
                frontier.good_runs = 0;
            }
        }
    }

    /// Halves the longest length of speculative runs, after a wasted one of `len` steps.
    pub(super) fn shorten_runs(&self, frontier: &mut Frontier<V, S>, len: u64) {
        if len > 1 {
            let max_run = &self.shared.max_run;
            max_run.set(&mut frontier.role, (max_run.get() / 2).max(1));
            frontier.good_runs = 0;
        }
    }

    /// Pauses speculation while its results are wasted: where each step depends on the one before, they only cost memory traffic and
    /// wake-ups.
    fn adapt_speculation(&self, frontier: &mut Frontier<V, S>, position: u64, wasted: bool) {
        if !wasted {
            frontier.wasted = frontier.wasted.saturating_sub(USEFUL_CREDIT);
            return;
        }
        frontier.wasted = (frontier.wasted + 1).min(MAX_WASTED + DOUBLINGS);
        if let Some(pauses) = frontier.wasted.checked_sub(MAX_WASTED) {
            let pause = (PAUSE << pauses).min(self.shared.window.len());
            self.shared.resume.set(&mut frontier.role, position + pause);
        }
    }

    /// Updates the score of the conflict class of a speculative result.
    fn learn_class(&self, body: &Body<V>) {
        if let Some(class) = body.class {
            let classes = &self.shared.classes;
            let depended = body.depended || body.conflicts > 0;
            if depended || body.near_predecessor || !classes.is_contended(class) {
                classes.learn(class, depended);
            }
        }
    }

    /// Validates a result against final state. If it is invalid, the VM may repair it; if not, its published effects become estimates.
    /// Whether the result is valid now.
    fn validate(
        &self,
        worker: &mut Worker<'_, V>,
        frontier: &mut Frontier<V, S>,
        position: u64,
        body: &mut Body<V>,
    ) -> bool {
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
                    store.mark_conflicted(observed.entry);
                    violated.push((observed.entry, observed.observation, value));
                }
            }
        }
        let mut valid = violated.is_empty();
        if valid {
            worker.metrics.moved += u64::from(moved);
        } else {
            worker.record_event(position, EventKind::Conflict, start);
            worker.count_conflict((0..V::Domain::KINDS.len()).filter(|kind| kinds[kind % 64]));
            body.conflicts += 1;
            // The hook may change unpublished effects, too.
            body.record.effects.append(&mut body.record.unpublished);
            let unrepaired = &mut frontier.unrepaired;
            unrepaired.clone_from(&body.record.effects);
            let effects = &mut body.record.effects;
            valid = match (&body.step, &mut body.output) {
                (Some(step), Some(output)) if body.len == 1 => {
                    worker.vm.repair(step, &mut Repair { violated, effects, output })
                }
                _ => false,
            };
            // Effects that the hook removed are still published.
            unrepaired.retain(|(entry, _)| !effects.iter().any(|(kept, _)| kept == entry));
            store.retract(position, u32::MAX, unrepaired);
            body.repaired = valid;
            if valid {
                worker.metrics.repairs += 1;
                worker.record_event(position, EventKind::Repair, start);
            } else {
                self.mark_reexecuting(position, body);
            }
        }
        worker.metrics.validate_time += since(start);
        valid
    }
}
