use crate::background::assist;
use crate::error::StreamError;
use crate::feed::Feed;
use crate::frontier::{Changes, Frontier, History, Recorded, Sink};
use crate::metrics::{Event, EventKind, Metrics};
use crate::predicate::Check;
use crate::shared::Shared;
use crate::store::{Found, PREDICTED, UNSTABLE};
use crate::sync::atomic::{AtomicUsize, Ordering, fence};
use crate::sync::{Mutex, nap};
use crate::view::View;
use crate::vm::{Domain, Repair, Vm};
use crate::window::{Body, Phase};
use std::time::{Duration, Instant};

/// How far beyond the frontier idle workers look for invalid results, in steps per thread.
const EARLY_CHECKS: u64 = 8;

/// From this many invalid results in a row on, speculation pauses.
const FUTILE: u32 = 16;
/// How many steps it pauses for at first. Each time it was still of no use, the pause is twice as long.
const PAUSE: u64 = 32;
/// How long a worker that pauses sleeps.
const NAP: Duration = Duration::from_micros(100);

/// One stream and everything its workers need.
pub(crate) struct Crew<V: Vm, S, I, B> {
    pub(crate) shared: Shared<V>,
    feed: Mutex<Feed<I, B>>,
    frontier: Mutex<Frontier<V, S>>,
    threads: usize,
    timing: bool,
    timelines: bool,
    /// What the times of events count from.
    start: Instant,
    /// Workers that have not left. Each counts down once; the last one closes the sink.
    present: AtomicUsize,
    metrics: Mutex<Metrics>,
}

/// The time since `start`; zero if it was not measured.
fn since(start: Option<Instant>) -> Duration {
    start.map_or(Duration::ZERO, |start| start.elapsed())
}

/// What validation at the frontier found.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Valid,
    Repaired,
    Invalid,
}

/// What one worker owns.
struct Worker<'r, V: Vm> {
    vm: &'r V,
    state: V::Worker<'r>,
    metrics: Metrics,
    /// Whether to measure time per phase.
    timing: bool,
    /// What it did, if that is written down, and what times count from.
    timeline: Option<Vec<Event>>,
    origin: Instant,
}

impl<'r, V: Vm> Worker<'r, V> {
    fn view(&mut self) -> &mut View<'r, V> {
        self.vm.view(&mut self.state)
    }

    /// The present, if time is measured.
    fn now(&self) -> Option<Instant> {
        self.timing.then(Instant::now)
    }

    /// Executes the step in `body`; what it recorded stays in the view.
    fn execute(
        &mut self,
        position: u64,
        body: &mut Body<V>,
        speculative: bool,
    ) -> Result<V::Output, V::Error> {
        let always = self.vm.records_always();
        self.view().begin(position, speculative, always);
        self.metrics.executions += 1;
        if body.incarnation > 0 {
            self.metrics.reexecutions += 1;
            if speculative {
                self.metrics.early_reexecutions += 1;
            }
        }
        body.incarnation += 1;
        let waited = self.view().waited;
        let start = self.now();
        let step = body.step.as_ref().expect("a step in flight is in its slot");
        let result = self.vm.execute(&mut self.state, step);
        self.metrics.execute_time += since(start);
        if self.timeline.is_some() {
            let waited = self.view().waited - waited;
            let (incarnation, failed) = (body.incarnation - 1, result.is_err());
            let kind = EventKind::Execution { speculative, incarnation, failed, waited };
            self.note(position, kind, start);
        }
        result
    }

    /// Writes down something that began at `start`.
    fn note(&mut self, position: u64, kind: EventKind, start: Option<Instant>) {
        if let (Some(timeline), Some(start)) = (&mut self.timeline, start) {
            let (start, time) = (start.saturating_duration_since(self.origin), start.elapsed());
            timeline.push(Event { position, kind, start, time });
        }
    }

    fn count_conflict(&mut self, kinds: impl Iterator<Item = usize>) {
        self.metrics.conflicts += 1;
        for kind in kinds {
            self.metrics.conflicts_by_kind[kind] += 1;
        }
    }
}

impl<V, S, I, B> Crew<V, S, I, B>
where
    V: Vm,
    S: Sink<V>,
    I: Iterator + Send,
    I::Item: IntoIterator<IntoIter = B>,
    B: Iterator<Item = V::Step> + Send,
{
    pub(crate) fn new(
        shared: Shared<V>,
        threads: usize,
        timing: bool,
        timelines: bool,
        feed: Feed<I, B>,
        sink: S,
    ) -> Self {
        Self {
            shared,
            feed: Mutex::new(feed),
            frontier: Mutex::new(Frontier::new(sink)),
            threads,
            timing,
            timelines,
            start: Instant::now(),
            present: AtomicUsize::new(threads),
            metrics: Mutex::new(Metrics {
                conflicts_by_kind: vec![0; V::Domain::KINDS.len()],
                ..Metrics::default()
            }),
        }
    }

    /// What is left once all workers have gone.
    pub(crate) fn finish(self) -> (Metrics, Shared<V>) {
        (self.metrics.into_inner(), self.shared)
    }

    /// What every thread of the pool runs, from the start of the stream to its end. Never unwinds.
    pub(crate) fn work(&self, vm: &V) {
        let work = std::panic::AssertUnwindSafe(|| self.work_until_stopped(vm));
        if let Err(panic) = std::panic::catch_unwind(work) {
            let message = panic
                .downcast_ref::<&str>()
                .map(|message| (*message).to_owned())
                .or_else(|| panic.downcast_ref::<String>().cloned());
            self.shared.fail(StreamError::Panic(message.unwrap_or_else(|| "unknown cause".to_owned())));
        }
        if self.present.fetch_sub(1, Ordering::AcqRel) == 1 {
            let sink = self.frontier.lock().sink.take();
            let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(sink)));
        }
    }

    fn work_until_stopped(&self, vm: &V) {
        let shared = &self.shared;
        let mut worker = Worker {
            vm,
            state: vm.worker(View::new(shared)),
            metrics: Metrics { conflicts_by_kind: vec![0; V::Domain::KINDS.len()], ..Metrics::default() },
            timing: self.timing,
            timeline: self.timelines.then(Vec::new),
            origin: self.start,
        };
        while !shared.stopped() {
            let seen = (shared.frontier.load(Ordering::SeqCst), shared.fed.load(Ordering::SeqCst));
            let ended = shared.end.load(Ordering::SeqCst);
            if self.serve_frontier(&mut worker)
                || self.speculate_next(&mut worker)
                || self.feed.try_lock().is_some_and(|mut feed| feed.feed(shared))
                || (!self.pauses() && self.check_early(&mut worker))
            {
                continue;
            }
            let start = Instant::now();
            if self.pauses() {
                if !assist() {
                    nap(NAP);
                }
                worker.metrics.idle_time += start.elapsed();
                continue;
            }
            shared.signal.wait_usefully(|| {
                shared.stopped()
                    || (shared.frontier.load(Ordering::SeqCst), shared.fed.load(Ordering::SeqCst)) != seen
                    || shared.end.load(Ordering::SeqCst) != ended
            });
            worker.metrics.idle_time += start.elapsed();
        }
        let (waits, waited) = (worker.view().waits, worker.view().waited);
        worker.metrics.waits += waits;
        worker.metrics.idle_time += waited;
        worker.metrics.timelines.extend(worker.timeline.take());
        self.metrics.lock().merge(&worker.metrics);
    }

    /// Serves the frontier for as long as there is something to do there. Returns whether any step became final.
    fn serve_frontier(&self, worker: &mut Worker<'_, V>) -> bool {
        let mut progress = false;
        while self.frontier_is_serviceable() {
            let Some(mut frontier) = self.frontier.try_lock() else { break };
            if std::mem::replace(&mut frontier.busy, true) {
                break;
            }
            let mut moved = false;
            while self.finalize_next(worker, &mut frontier) {
                moved = true;
            }
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
            self.judge_speculation(frontier, position, verdict);
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

    /// Has speculation pause while its results keep being invalid: where each step depends on the one before, they only
    /// cost memory traffic and wake-ups.
    fn judge_speculation(&self, frontier: &mut Frontier<V, S>, position: u64, verdict: Verdict) {
        if verdict != Verdict::Invalid {
            frontier.invalid = 0;
            return;
        }
        frontier.invalid += 1;
        if let Some(pauses) = frontier.invalid.checked_sub(FUTILE) {
            let pause = (PAUSE << pauses.min(32)).min(self.shared.window.len());
            self.shared.resume.store(position + pause, Ordering::Relaxed);
        }
    }

    /// Whether speculation pauses.
    fn pauses(&self) -> bool {
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
        for (entry, effect) in &record.effects {
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

    /// Claims the next step that nobody started and executes it speculatively.
    fn speculate_next(&self, worker: &mut Worker<'_, V>) -> bool {
        let shared = &self.shared;
        while !self.pauses() {
            let position = shared.next.load(Ordering::Relaxed).max(shared.frontier.load(Ordering::Acquire));
            if position >= shared.fed.load(Ordering::Acquire) {
                return false;
            }
            shared.next.fetch_max(position + 1, Ordering::Relaxed);
            if shared.window.claim(position, Phase::Ready, Phase::Running) {
                let mut body = shared.window.slot(position).body.lock();
                self.speculate(worker, position, &mut body);
                return true;
            }
        }
        false
    }

    /// Executes a claimed step and leaves its result for its turn.
    fn speculate(&self, worker: &mut Worker<'_, V>, position: u64, body: &mut Body<V>) {
        let shared = &self.shared;
        let rerun = body.incarnation > 0;
        let result = worker.execute(position, body, true);
        body.checked = shared.frontier.load(Ordering::Acquire);
        let phase = match result {
            Ok(output) => {
                let record = &mut worker.view().record;
                shared.store.publish(position, body.incarnation, &record.effects, &body.record.effects);
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
        shared.window.set(position, phase);
        // Pairs with the fence of a frontier holder that is about to leave this step to us.
        fence(Ordering::SeqCst);
        if rerun {
            shared.signal.notify();
        }
    }

    /// With nothing else to do: finds a result that no longer holds, or an execution that could not go on, and
    /// executes it again before its turn.
    fn check_early(&self, worker: &mut Worker<'_, V>) -> bool {
        let shared = &self.shared;
        let frontier = shared.frontier.load(Ordering::Acquire);
        let end = shared
            .next
            .load(Ordering::Relaxed)
            .min(shared.fed.load(Ordering::Acquire))
            .min(frontier + EARLY_CHECKS * self.threads as u64);
        for position in frontier + 1..end {
            let phase = shared.window.phase(position);
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
