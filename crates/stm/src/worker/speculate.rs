//! Executing steps ahead of their turn.

use super::{Crew, Worker};
use crate::frontier::Sink;
use crate::metrics::EventKind;
use crate::predicate::Check;
use crate::store::{Found, PREDICTED, UNSTABLE};
use crate::sync::MODEL;
use crate::sync::atomic::{Ordering, fence};
use crate::vm::{Domain, Vm};
use crate::window::{Body, Phase};
use std::ops::Range;
use std::time::{Duration, Instant};

/// How far beyond the frontier idle workers look for invalid results, in steps per thread.
const EARLY_CHECKS: u64 = 8;
/// How long a worker should be busy with the steps that it claims at once: long against what a claim costs, short
/// against what others can wait for.
const RUN: Duration = Duration::from_micros(40);
/// Steps that are claimed at once at most.
const LONGEST_RUN: u64 = if MODEL { 2 } else { 32 };
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

impl<V, S, I, B> Crew<V, S, I, B>
where
    V: Vm,
    S: Sink<V>,
    I: Iterator + Send,
    I::Item: IntoIterator<IntoIter = B>,
    B: Iterator<Item = V::Step> + Send,
{
    /// Claims the next step that nobody started and executes it speculatively.
    pub(super) fn speculate_next(&self, worker: &mut Worker<'_, V>) -> bool {
        let shared = &self.shared;
        while !self.pauses() {
            let next = shared.next.load(Ordering::Relaxed);
            let first = next.max(shared.frontier.load(Ordering::Acquire));
            let end = shared.fed.load(Ordering::Acquire).min(first + worker.run);
            if first >= end {
                return false;
            }
            if shared.next.compare_exchange(next, end, Ordering::Relaxed, Ordering::Relaxed).is_err() {
                continue;
            }
            if self.speculate_run(worker, first..end) {
                return true;
            }
        }
        false
    }

    /// Executes those of the steps that nobody else has started. Whether there were any.
    fn speculate_run(&self, worker: &mut Worker<'_, V>, run: Range<u64>) -> bool {
        let shared = &self.shared;
        let start = Instant::now();
        let mut executed = 0;
        let end = run.end;
        for position in run {
            if shared.stopped() || (executed > 0 && self.pauses()) {
                break;
            }
            if shared.window.claim(position, Phase::Ready, Phase::Running) {
                let mut body = shared.window.slot(position).body.lock();
                self.speculate(worker, position, &mut body);
                executed += 1;
                if position + 1 < end && !MODEL && start.elapsed() > 2 * RUN {
                    // The steps take longer than expected: others may have the rest.
                    shared.next.fetch_min(position + 1, Ordering::Relaxed);
                    break;
                }
            }
        }
        if executed > 0 {
            worker.run = next_run(start.elapsed() / executed);
        }
        executed > 0
    }

    /// Executes a claimed step and leaves its result for its turn.
    fn speculate(&self, worker: &mut Worker<'_, V>, position: u64, body: &mut Body<V>) {
        let shared = &self.shared;
        let rerun = body.incarnation > 0;
        let (start, waited) = (Instant::now(), worker.view().waited);
        let result = worker.execute(position, body, true);
        body.checked = shared.frontier.load(Ordering::Acquire);
        let phase = match result {
            Ok(output) => {
                let waited = worker.view().waited - waited;
                let cheap = worker.run > 1;
                let record = &mut worker.view().record;
                let most =
                    shared.store.publish(position, body.incarnation, &record.effects, &body.record.effects);
                let idled = !MODEL && !waited.is_zero() && waited * 2 > start.elapsed();
                body.futile = idled || (cheap && most > CROWD);
                std::mem::swap(record, &mut body.record);
                body.output = Some(output);
                Phase::Done
            }
            Err(_) => {
                worker.metrics.blocked += 1;
                shared.store.retract(position, u32::MAX, &body.record.effects);
                body.record.clear();
                body.output = None;
                Phase::Blocked
            }
        };
        shared.window.slot(position).owner.store(worker.id, Ordering::Relaxed);
        shared.window.set(position, phase);
        // Pairs with the fence of a frontier holder that is about to leave this step to us.
        fence(Ordering::SeqCst);
        if rerun {
            shared.signal.notify();
        }
    }

    /// With nothing else to do: finds a step that was claimed with others and is not started yet, a result that no longer
    /// holds, or an execution that could not go on, and executes it before its turn.
    pub(super) fn check_early(&self, worker: &mut Worker<'_, V>) -> bool {
        let shared = &self.shared;
        let frontier = shared.frontier.load(Ordering::Acquire);
        let end = shared
            .next
            .load(Ordering::Relaxed)
            .min(shared.fed.load(Ordering::Acquire))
            .min(frontier + EARLY_CHECKS * self.threads as u64);
        for position in frontier + 1..end {
            let phase = shared.window.phase(position);
            if phase == Phase::Ready && self.speculate_run(worker, position..position + 1) {
                return true;
            }
            if !matches!(phase, Phase::Done | Phase::Blocked) {
                continue;
            }
            let Some(mut body) = shared.window.slot(position).body.try_lock() else { continue };
            if shared.window.phase(position) != phase || body.checked == frontier {
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
                self.speculate(worker, position, &mut body);
                return true;
            }
        }
        false
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
