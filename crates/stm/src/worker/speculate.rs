//! Executing steps ahead of their turn.

use super::{Stream, Worker};
use crate::domain::Domain;
use crate::metrics::EventKind;
use crate::predicate::Check;
use crate::record::Record;
use crate::shared::{MAX_RUN, Shared};
use crate::store::{Found, PREDICTED, UNSTABLE};
use crate::sync::MODEL;
use crate::sync::atomic::{Ordering, fence};
use crate::vm::Vm;
use crate::window::{Body, Phase};
use std::ops::Range;
use std::time::{Duration, Instant};

/// How far beyond the frontier idle workers check results, in steps per thread.
const EARLY_CHECKS: u64 = 8;
/// A step is queued behind its predecessor in its conflict class only if that is at most so many positions before it.
const MAX_DISTANCE: u64 = 32;
/// How long the steps of one claim should take: much longer than a claim itself, and short enough for other workers to wait.
const CLAIM_TIME: Duration = Duration::from_micros(40);
/// Speculation on a cheap step is wasted if more steps in flight than this have effects on one of its entries: publishing these effects
/// takes longer than executing the steps.
const CONTENDED: usize = 16;

/// How many steps to claim at once, given how long each of the last ones took. A model checker always gets the same number.
fn claim_size(time: Duration) -> u64 {
    if MODEL {
        return MAX_RUN;
    }
    let fits = CLAIM_TIME.as_nanos() / time.as_nanos().max(1);
    fits.clamp(1, MAX_RUN.into()) as u64
}

impl<V: Vm, S, F> Stream<V, S, F> {
    /// Claims the next ready steps and executes them speculatively. Whether there were any.
    pub(super) fn speculate_next(&self, worker: &mut Worker<'_, V>) -> bool {
        let shared = &self.shared;
        while let Some(preferred) = self.preferred() {
            if self.speculate_claim(worker, preferred..preferred + 1) {
                return true;
            }
        }
        while !self.pauses() {
            let next = shared.next.get();
            let first = next.max(shared.frontier.get());
            let end = shared.fed.get().min(first + worker.claim_size);
            if first >= end {
                return false;
            }
            if !shared.next.claim(next, end) {
                worker.metrics.lost_claims += 1;
                continue;
            }
            if self.speculate_claim(worker, first..end) {
                return true;
            }
        }
        false
    }

    /// Whether speculation pauses.
    pub(super) fn pauses(&self) -> bool {
        let shared = &self.shared;
        shared.frontier.hint() < shared.resume.get()
    }

    /// A step to execute before the next ones in order: one whose predecessor is final, or a long one.
    fn preferred(&self) -> Option<u64> {
        let shared = &self.shared;
        if self.pauses() {
            return None;
        }
        shared.released.take().or_else(|| shared.longest_first.pop())
    }

    /// Executes those steps of a claim that no other worker has started. Whether there were any.
    fn speculate_claim(&self, worker: &mut Worker<'_, V>, claim: Range<u64>) -> bool {
        let shared = &self.shared;
        let start = Instant::now();
        let mut now = start;
        let mut executed = 0;
        let Range { start: mut position, end } = claim;
        while position < end {
            if shared.control.stopped() || (executed > 0 && self.pauses()) {
                break;
            }
            let mut claimed =
                shared.window.claim(position, Phase::Ready, Phase::Executing).then_some(position);
            worker.metrics.lost_claims += u64::from(claimed.is_none());
            // One run for the rest of the claim, if it can be.
            let mut most = end - position;
            position += 1;
            while let Some(first) = claimed {
                let mut body = shared.window.slot(first).body.lock();
                if self.queues_behind_predecessor(worker, first, first, &mut body) {
                    break;
                }
                let len = self.speculate(worker, first, &mut body, most, &mut now);
                drop(body);
                executed += len.max(1);
                position = position.max(first + len);
                most = worker.claim_size;
                claimed = (first..first + len).find_map(|step| self.claim_successor(first, step));
            }
            if executed > 0 && position < end && !MODEL && now - start > 2 * CLAIM_TIME {
                // The steps take longer than estimated: give the rest of the claim back.
                shared.next.give_back(position);
                break;
            }
        }
        if executed > 0 && self.runs {
            worker.claim_size = claim_size((now - start) / executed as u32);
        }
        executed > 0
    }

    /// Whether a claimed step, in a run that begins at `first`, is queued behind its predecessor of the same conflict class instead of
    /// being executed.
    pub(super) fn queues_behind_predecessor(
        &self,
        worker: &mut Worker<'_, V>,
        position: u64,
        first: u64,
        body: &mut Body<V>,
    ) -> bool {
        let Shared { window, classes, frontier, .. } = &self.shared;
        let in_flight = |predecessor: &u64| {
            position - *predecessor <= MAX_DISTANCE && *predecessor < first && *predecessor >= frontier.get()
        };
        // A step that was queued once, or whose predecessor has executed, is not queued again.
        let Some(predecessor) = body.predecessor.take().filter(in_flight) else { return false };
        body.near_predecessor = true;
        let queued = body.class.is_some_and(|class| classes.is_contended(class))
            && window.is_awaited(predecessor)
            && window.queue_behind(position, predecessor);
        worker.metrics.followed += u64::from(queued);
        queued
    }

    /// Claims the step that is queued behind the one at `position`, unless the run of the latter, which begins at `first`, is at its turn
    /// and has to become final first.
    fn claim_successor(&self, first: u64, position: u64) -> Option<u64> {
        let shared = &self.shared;
        if shared.frontier.get() == first || shared.control.stopped() || self.pauses() {
            return None;
        }
        shared.window.claim_successor(position)
    }

    /// Executes a claimed step and the ready steps behind it as one run of `most` steps at most, and publishes the result. Gives the number
    /// of steps that have a result. `now` is the time before the execution, and afterwards the time after it.
    fn speculate(
        &self,
        worker: &mut Worker<'_, V>,
        position: u64,
        body: &mut Body<V>,
        most: u64,
        now: &mut Instant,
    ) -> u64 {
        let shared = &self.shared;
        let reexecution = body.incarnation > 0;
        let waited = worker.view().waited;
        let most = most.min(shared.max_run.get());
        let deadline = (!MODEL).then(|| *now + 2 * CLAIM_TIME);
        let len = self.execute_run(worker, position, body, true, most, deadline).unwrap_or(0);
        let start = std::mem::replace(now, Instant::now());
        body.checked = shared.frontier.get();
        let phase = match len {
            1.. => {
                let waited = worker.view().waited - waited;
                let cheap = worker.were_cheap(len, *now - start);
                let record = &mut worker.view().record;
                if cheap && !reexecution {
                    // Publishing costs more than the rare conflict.
                    record.withhold(|entry| !shared.store.has_conflicted(entry));
                }
                let most =
                    shared.store.publish(position, body.incarnation, &record.effects, &body.record.effects);
                let idled = !MODEL && !waited.is_zero() && waited * 2 > *now - start;
                body.wasted = idled || (cheap && most > CONTENDED);
                body.depended |= body.near_predecessor && self.relies_on_others(record);
                std::mem::swap(record, &mut body.record);
                Phase::Done
            }
            0 => {
                worker.metrics.blocked += 1;
                shared.store.retract(position, u32::MAX, &body.record.effects);
                body.record.clear();
                body.output = None;
                Phase::Blocked
            }
        };
        shared.window.slot(position).owner.store(worker.id, Ordering::Relaxed);
        // A worker that finds the first step of a run done finds the others done, too.
        (position + 1..position + len).for_each(|member| shared.window.set(member, phase));
        shared.window.set(position, phase);
        // Pairs with the fence of the frontier's holder after its unlock: either the holder sees this phase, or this worker gets the lock.
        fence(Ordering::SeqCst);
        if reexecution {
            shared.control.signal.notify();
        }
        len
    }

    /// For an idle worker: looks near the frontier for a step that another worker has claimed but not started, a result that is no longer
    /// valid, or a blocked step, and executes it before its turn.
    pub(super) fn check_early(&self, worker: &mut Worker<'_, V>) -> bool {
        let shared = &self.shared;
        let frontier = shared.frontier.get();
        let end = shared.next.get().min(shared.fed.get()).min(frontier + EARLY_CHECKS * self.threads as u64);
        for position in frontier + 1..end {
            let phase = shared.window.phase(position);
            if phase == Phase::Ready
                && !shared.window.is_queued(position)
                && self.speculate_claim(worker, position..position + 1)
            {
                return true;
            }
            if !matches!(phase, Phase::Done | Phase::Blocked) {
                continue;
            }
            let Some(mut body) = shared.window.slot(position).body.try_lock() else { continue };
            // The later steps of a run are checked with the first.
            if shared.window.phase(position) != phase || body.checked == frontier || body.len == 0 {
                continue;
            }
            let (phase_after, violated) = match phase {
                Phase::Blocked => (Phase::Executing, None),
                _ => match self.violation(position, &body) {
                    Some(kind) => (Phase::Reexecuting, Some(kind)),
                    None => {
                        body.checked = frontier;
                        continue;
                    }
                },
            };
            if shared.window.claim(position, phase, phase_after) {
                if let Some(kind) = violated {
                    shared.store.mark_estimates(position, &body.record.effects);
                    worker.count_conflict(std::iter::once(kind));
                    let now = worker.now();
                    worker.record_event(position, EventKind::EarlyConflict, now);
                    body.conflicts += 1;
                }
                let most = body.len;
                self.dissolve(position, &mut body);
                self.speculate(worker, position, &mut body, most, &mut Instant::now());
                return true;
            }
        }
        false
    }

    /// Whether the record relies on an effect of a step in flight.
    fn relies_on_others(&self, record: &Record<V::Domain>) -> bool {
        let mut others = record.observations.iter().filter(|observed| observed.stamp == UNSTABLE);
        others.any(|observed| {
            let (_, value) = self.shared.store.read_final(observed.entry);
            matches!(V::Domain::check(&observed.observation, &value), Check::Violated(_))
        })
    }

    /// The kind of the first observation that does not hold on the present values. Leaves out predicted observations: they may still come
    /// true, and another execution would predict the same.
    fn violation(&self, position: u64, body: &Body<V>) -> Option<usize> {
        let shared = &self.shared;
        let mut read = body.record.observations.iter().filter(|observed| observed.stamp != PREDICTED);
        read.find_map(|observed| match shared.store.read_at(observed.entry, position) {
            Found::Value { stamp, value } if stamp != observed.stamp || stamp == UNSTABLE => {
                match V::Domain::check(&observed.observation, &value) {
                    Check::Violated(kind) => Some(kind),
                    Check::Holds | Check::Moved => None,
                }
            }
            _ => None,
        })
    }
}
