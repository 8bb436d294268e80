//! Serving the frontier: what to do with the step there.

use super::{Crew, Worker, since};
use crate::domain::Domain;
use crate::frontier::Frontier;
use crate::metrics::EventKind;
use crate::predicate::Check;
use crate::shared::LONGEST_RUN;
use crate::sink::{Outcome, Sink};
use crate::sync::atomic::{Ordering, fence};
use crate::vm::{Repair, Vm};
use crate::window::{Body, Phase};

/// So much done at the frontier makes a worker tell its counters.
const TOLD: u64 = 64;
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

/// After so many good runs of full length runs may be a step longer.
const LENGTHEN: u32 = 8;

impl<V: Vm, S: Sink<V>, F> Crew<V, S, F> {
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
                worker.tell(TOLD, &self.shared.tallies);
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
        let position = shared.frontier.hint();
        worker.run > 1
            && shared.window.phase(position) == Phase::Done
            && shared.window.slot(position).owner.load(Ordering::Relaxed) != worker.id
            && shared.next.get() < position + BACKLOG * worker.run
    }

    fn frontier_is_serviceable(&self) -> bool {
        let shared = &self.shared;
        if shared.stopped() {
            return false;
        }
        let position = shared.frontier.get_in_order();
        if position == shared.end.get_in_order() {
            return true;
        }
        position < shared.fed.get()
            && matches!(shared.window.phase(position), Phase::Ready | Phase::Done | Phase::Blocked)
    }

    /// Makes the step at the frontier final. `false` if somebody else is executing it, nothing is left, or the
    /// stream has ended.
    fn finalize_next(&self, worker: &mut Worker<'_, V>, frontier: &mut Frontier<V, S>) -> bool {
        let shared = &self.shared;
        if shared.stopped() {
            return false;
        }
        let position = shared.frontier.hint();
        if position == shared.end.get_in_order() {
            shared.stop();
            return false;
        }
        if position >= shared.fed.get() {
            return false;
        }
        let phase = shared.window.phase(position);
        if !matches!(phase, Phase::Ready | Phase::Done | Phase::Blocked)
            || !shared.window.claim(position, phase, Phase::Running)
        {
            return false;
        }
        let mut body = shared.window.slot(position).body.lock();
        if let Some(output) = frontier.asked.take_skipped(position) {
            return self.leave_out(worker, frontier, position, &mut body, output, Outcome::Skipped);
        }
        let valid = phase == Phase::Done && self.validate(worker, frontier, position, &mut body);
        if phase == Phase::Done {
            self.judge_speculation(frontier, position, !valid || body.futile);
            self.judge_run(frontier, body.len, valid);
            self.learn(&body);
        } else if phase == Phase::Ready
            && body.near
            && let Some(group) = body.group.filter(|group| shared.groups.are_related(*group))
        {
            // It was left to follow a step, and came to its turn as soon as it could be executed.
            self.judge_speculation(frontier, position, true);
            if frontier.futile >= FUTILE {
                shared.groups.doubt(group);
            }
        }
        self.settle(worker, frontier, position, &mut body, valid)
    }

    /// How many steps to execute at the frontier before their effects are told.
    pub(super) fn longest_at_frontier(
        &self,
        worker: &Worker<'_, V>,
        frontier: &Frontier<V, S>,
        position: u64,
    ) -> u64 {
        let shared = &self.shared;
        let paused = shared.resume.get().saturating_sub(position);
        let alone = if self.threads == 1 { u64::MAX } else { paused };
        let together = worker.run.min(shared.longest.get());
        alone.max(together).min(frontier.together)
    }

    /// Finds out how long runs had better be: half as long after one that conflicted, a step longer after some that did not.
    fn judge_run(&self, frontier: &mut Frontier<V, S>, len: u64, valid: bool) {
        let longest = &self.shared.longest;
        let old = longest.get();
        if !valid {
            self.shorten_runs(frontier, len);
        } else if len == old && old < LONGEST_RUN {
            frontier.good_runs += 1;
            if frontier.good_runs == LENGTHEN {
                longest.set(&mut frontier.role, old + 1);
                frontier.good_runs = 0;
            }
        }
    }

    /// Has runs be half as long as they were, after one of `len` steps that was of no use.
    pub(super) fn shorten_runs(&self, frontier: &mut Frontier<V, S>, len: u64) {
        if len > 1 {
            let longest = &self.shared.longest;
            longest.set(&mut frontier.role, (longest.get() / 2).max(1));
            frontier.good_runs = 0;
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
            self.shared.resume.set(&mut frontier.role, position + pause);
        }
    }

    /// Learns from a result whether steps of its group need one another.
    fn learn(&self, body: &Body<V>) {
        if let Some(group) = body.group {
            let groups = &self.shared.groups;
            let needed = body.needed || body.conflicts > 0;
            if needed || body.near || !groups.are_related(group) {
                groups.learn(group, needed);
            }
        }
    }

    /// Tests a result against final state, and repairs it if it can be. Otherwise readers of its effects are told
    /// to wait. Whether it is valid now.
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
                    store.want(observed.entry);
                    violated.push((observed.entry, observed.observation, value));
                }
            }
        }
        let mut valid = violated.is_empty();
        if valid {
            worker.metrics.moved += u64::from(moved);
        } else {
            worker.note(position, EventKind::Conflict, start);
            worker.count_conflict((0..V::Domain::KINDS.len()).filter(|kind| kinds[kind % 64]));
            body.conflicts += 1;
            // Those kept back are the hook's to change, too.
            body.record.effects.append(&mut body.record.late);
            let unrepaired = &mut frontier.unrepaired;
            unrepaired.clone_from(&body.record.effects);
            let effects = &mut body.record.effects;
            valid = match (&body.step, &mut body.output) {
                (Some(step), Some(output)) if body.len == 1 => {
                    worker.vm.repair(step, &mut Repair { violated, effects, output })
                }
                _ => false,
            };
            // Effects that the hook removed are still visible to later steps.
            unrepaired.retain(|(entry, _)| !effects.iter().any(|(kept, _)| kept == entry));
            store.retract(position, u32::MAX, unrepaired);
            body.repaired = valid;
            if valid {
                worker.metrics.repairs += 1;
                worker.note(position, EventKind::Repair, start);
            } else {
                self.make_wait(position, body);
            }
        }
        worker.metrics.validate_time += since(start);
        valid
    }
}
