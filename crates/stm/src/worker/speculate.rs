//! Executing steps ahead of their turn.

use super::{Crew, Worker};
use crate::domain::Domain;
use crate::metrics::EventKind;
use crate::predicate::Check;
use crate::record::Record;
use crate::shared::{LONGEST_RUN, Shared};
use crate::store::{Found, PREDICTED, UNSTABLE};
use crate::sync::MODEL;
use crate::sync::atomic::{Ordering, fence};
use crate::vm::Vm;
use crate::window::{Body, Phase};
use std::ops::Range;
use std::time::{Duration, Instant};

/// How far beyond the frontier idle workers look for invalid results, in steps per thread.
const EARLY_CHECKS: u64 = 8;
/// How far behind a step of its group another one may be left to follow it. What is farther away is executed by the time, or will
/// not be soon.
const NEAR: u64 = 32;
/// How long a worker should be busy with the steps that it claims at once: long against what a claim costs, short
/// against what others can wait for.
const RUN: Duration = Duration::from_micros(40);
/// Cheap steps that change something that more steps than this in flight change, too, had better not run ahead: telling
/// all of each other takes longer than executing them.
const CROWD: usize = 16;

/// How many steps to claim at once, given how long each of the last ones took. Models must not depend on time.
fn next_run(time: Duration) -> u64 {
    if MODEL {
        return LONGEST_RUN;
    }
    let fits = RUN.as_nanos() / time.as_nanos().max(1);
    fits.clamp(1, LONGEST_RUN.into()) as u64
}

impl<V: Vm, S, F> Crew<V, S, F> {
    /// Claims the next step that nobody started and executes it speculatively.
    pub(super) fn speculate_next(&self, worker: &mut Worker<'_, V>) -> bool {
        let shared = &self.shared;
        while let Some(preferred) = self.preferred() {
            if self.speculate_run(worker, preferred..preferred + 1) {
                return true;
            }
        }
        while !self.pauses() {
            let next = shared.next.get();
            let first = next.max(shared.frontier.get());
            let end = shared.fed.get().min(first + worker.run);
            if first >= end {
                return false;
            }
            if !shared.next.claim(next, end) {
                continue;
            }
            if self.speculate_run(worker, first..end) {
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

    /// A step that had better be executed before those next in order.
    fn preferred(&self) -> Option<u64> {
        let shared = &self.shared;
        if self.pauses() {
            return None;
        }
        shared.released.take().or_else(|| shared.heavy.pop())
    }

    /// Executes those of the steps that nobody else has started. Whether there were any.
    fn speculate_run(&self, worker: &mut Worker<'_, V>, run: Range<u64>) -> bool {
        let shared = &self.shared;
        let start = Instant::now();
        let mut now = start;
        let mut executed = 0;
        let Range { start: mut position, end } = run;
        while position < end {
            if shared.stopped() || (executed > 0 && self.pauses()) {
                break;
            }
            let mut claimed = shared.window.claim(position, Phase::Ready, Phase::Running).then_some(position);
            // Of what is claimed, as much as can be.
            let mut most = end - position;
            position += 1;
            while let Some(first) = claimed {
                let mut body = shared.window.slot(first).body.lock();
                if self.leaves_to_follow(worker, first, first, &mut body) {
                    break;
                }
                let len = self.speculate(worker, first, &mut body, most, &mut now);
                drop(body);
                executed += len.max(1);
                position = position.max(first + len);
                most = worker.run;
                claimed = (first..first + len).find_map(|step| self.claim_next(first, step));
            }
            if executed > 0 && position < end && !MODEL && now - start > 2 * RUN {
                // The steps take longer than expected: others may have the rest.
                shared.next.give_back(position);
                break;
            }
        }
        if executed > 0 && self.runs {
            worker.run = next_run((now - start) / executed as u32);
        }
        executed > 0
    }

    /// Whether a claimed step, in a run that began at `first`, is left to follow the one before it of its group, which it probably
    /// needs.
    pub(super) fn leaves_to_follow(
        &self,
        worker: &mut Worker<'_, V>,
        position: u64,
        first: u64,
        body: &mut Body<V>,
    ) -> bool {
        let Shared { window, groups, frontier, .. } = &self.shared;
        let in_flight =
            |before: &u64| position - *before <= NEAR && *before < first && *before >= frontier.get();
        // Who takes its place after the one before it has been executed, or was left to that, is asked only once.
        let Some(before) = body.before.take().filter(in_flight) else { return false };
        body.near = true;
        let left = body.group.is_some_and(|group| groups.are_related(group))
            && window.is_awaited(before)
            && window.leave_to_follow(position, before);
        worker.metrics.followed += u64::from(left);
        left
    }

    /// Claims the step that was left to follow the one at `position`, unless its run, which began at `first`, must be made final
    /// first.
    fn claim_next(&self, first: u64, position: u64) -> Option<u64> {
        let shared = &self.shared;
        if shared.frontier.get() == first || shared.stopped() || self.pauses() {
            return None;
        }
        shared.window.claim_next(position)
    }

    /// Executes a claimed step, with those behind it in one run of `most` steps at most, and leaves the result for its turn. Gives
    /// the number of steps that have a result. `now` is the time at which it begins, and then that at which it has executed.
    fn speculate(
        &self,
        worker: &mut Worker<'_, V>,
        position: u64,
        body: &mut Body<V>,
        most: u64,
        now: &mut Instant,
    ) -> u64 {
        let shared = &self.shared;
        let rerun = body.incarnation > 0;
        let waited = worker.view().waited;
        let most = most.min(shared.longest.get());
        let late = (!MODEL).then(|| *now + 2 * RUN);
        let len = self.execute_run(worker, position, body, true, most, late).unwrap_or(0);
        let start = std::mem::replace(now, Instant::now());
        body.checked = shared.frontier.get();
        let phase = match len {
            1.. => {
                let waited = worker.view().waited - waited;
                let cheap = worker.were_cheap(len, *now - start);
                let record = &mut worker.view().record;
                if cheap && !rerun {
                    // Telling others costs more than a conflict now and then.
                    record.keep_back(|entry| !shared.store.wanted(entry));
                }
                let most =
                    shared.store.publish(position, body.incarnation, &record.effects, &body.record.effects);
                let idled = !MODEL && !waited.is_zero() && waited * 2 > *now - start;
                body.futile = idled || (cheap && most > CROWD);
                body.needed |= body.near && self.relies_on_others(record);
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
        // Whoever finds the first step done finds the others so.
        (position + 1..position + len).for_each(|member| shared.window.set(member, phase));
        shared.window.set(position, phase);
        // Pairs with the fence of a frontier holder that is about to leave this step to us.
        fence(Ordering::SeqCst);
        if rerun {
            shared.signal.notify();
        }
        len
    }

    /// With nothing else to do: finds a step that was claimed with others and is not started yet, a result that no longer
    /// holds, or an execution that could not go on, and executes it before its turn.
    pub(super) fn check_early(&self, worker: &mut Worker<'_, V>) -> bool {
        let shared = &self.shared;
        let frontier = shared.frontier.get();
        let end = shared.next.get().min(shared.fed.get()).min(frontier + EARLY_CHECKS * self.threads as u64);
        for position in frontier + 1..end {
            let phase = shared.window.phase(position);
            if phase == Phase::Ready
                && !shared.window.is_to_follow(position)
                && self.speculate_run(worker, position..position + 1)
            {
                return true;
            }
            if !matches!(phase, Phase::Done | Phase::Blocked) {
                continue;
            }
            let Some(mut body) = shared.window.slot(position).body.try_lock() else { continue };
            // What holds for the first step of a run holds for all.
            if shared.window.phase(position) != phase || body.checked == frontier || body.len == 0 {
                continue;
            }
            let (again, violated) = match phase {
                Phase::Blocked => (Phase::Running, None),
                _ => match self.violation(position, &body) {
                    Some(kind) => (Phase::Rerunning, Some(kind)),
                    None => {
                        body.checked = frontier;
                        continue;
                    }
                },
            };
            if shared.window.claim(position, phase, again) {
                if let Some(kind) = violated {
                    shared.store.rerun(position, &body.record.effects);
                    worker.count_conflict(std::iter::once(kind));
                    let now = worker.now();
                    worker.note(position, EventKind::EarlyConflict, now);
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

    /// Whether something was relied on that steps in flight did.
    fn relies_on_others(&self, record: &Record<V::Domain>) -> bool {
        let mut others = record.observations.iter().filter(|observed| observed.stamp == UNSTABLE);
        others.any(|observed| {
            let (_, value) = self.shared.store.read_final(observed.entry);
            matches!(V::Domain::check(&observed.observation, &value), Check::Violated(_))
        })
    }

    /// The kind of the first observation that no longer holds, given what is known now. What was predicted may still come
    /// true, and would be predicted again.
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
