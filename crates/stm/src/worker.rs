mod call;
mod commit;
mod run;
mod serve;
mod speculate;

use crate::config::Settings;
use crate::error::{StreamError, message};
use crate::feed::{Feed, StepHints};
use crate::frontier::Frontier;
use crate::metrics::{Event, EventKind, Metrics, since};
use crate::placement::{Placement, WorkerCpu};
use crate::prefetching::{CHEAP, Prefetching};
use crate::shared::{MAX_FRONTIER_RUN, Shared};
use crate::sink::Sink;
use crate::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use crate::sync::{MODEL, Mutex, ThreadPool, nap};
use crate::tallies::Tallies;
use crate::view::View;
use crate::vm::Vm;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

/// A stream of up to so many steps ends before helpers would be awake.
const FEW: u64 = 4;
/// How long a worker sleeps while speculation pauses.
const NAP: Duration = Duration::from_micros(100);

/// Whose thread a worker is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ThreadOwner {
    /// The engine.
    Engine,
    /// A caller of the engine, which waits for the stream's end.
    Caller,
}

/// One stream: everything that its workers share.
pub(crate) struct Stream<V: Vm, S, F> {
    pub(crate) shared: Shared<V>,
    feed: Mutex<F>,
    frontier: Mutex<Frontier<V, S>>,
    /// Whether a worker serves the frontier: a hint.
    served: AtomicBool,
    threads: usize,
    timing: bool,
    timelines: bool,
    /// Whether a worker may execute several steps as one run.
    runs: bool,
    /// The origin of the events' times.
    start: Instant,
    /// On which CPUs the workers are.
    placement: Placement,
    /// Number of workers that have started.
    arrived: AtomicUsize,
}

/// The state of one worker.
struct Worker<'r, V: Vm> {
    vm: &'r V,
    state: V::Worker<'r>,
    metrics: Metrics,
    /// Executions and final steps when it last flushed its counters.
    flushed: u64,
    /// Whether to measure time per phase.
    timing: bool,
    /// How many steps it claims at once, given how long the last ones took.
    claim_size: u64,
    prefetching: Prefetching,
    /// Its index among the workers.
    id: usize,
    /// Its events, if they are recorded, and the origin of their times.
    timeline: Option<Vec<Event>>,
    origin: Instant,
}

impl<'r, V: Vm> Worker<'r, V> {
    fn view(&mut self) -> &mut View<'r, V::Domain> {
        self.vm.view(&mut self.state)
    }

    /// The present time, if it is measured.
    fn now(&self) -> Option<Instant> {
        self.timing.then(Instant::now)
    }

    /// Whether `steps` steps that took `time` were cheap, and the steps before them, too. Under a model checker the time does not count.
    fn were_cheap(&self, steps: u64, time: Duration) -> bool {
        self.claim_size > 1 && (MODEL || time < CHEAP * steps as u32)
    }

    /// Adds an event that began at `start` to the timeline, if there is one.
    fn record_event(&mut self, position: u64, kind: EventKind, start: Option<Instant>) {
        if let (Some(timeline), Some(start)) = (&mut self.timeline, start) {
            let (start, time) = (start.saturating_duration_since(self.origin), start.elapsed());
            timeline.push(Event { position, kind, start, time });
        }
    }

    /// Flushes its counters to `tallies`, if it has done at least `least` executions and final steps since the last time.
    fn flush_counters(&mut self, least: u64, tallies: &Tallies) {
        let done = self.metrics.executions + self.metrics.steps;
        if done - self.flushed < least {
            return;
        }
        self.flushed = done;
        let (waits, waited) = (self.view().waits, self.view().waited);
        tallies.update(self.id, |tally| {
            tally.copy_from(&self.metrics);
            tally.waits += waits;
            tally.idle_time += waited;
        });
    }

    fn count_conflict(&mut self, kinds: impl Iterator<Item = usize>) {
        self.metrics.conflicts += 1;
        for kind in kinds {
            self.metrics.conflicts_by_kind[kind] += 1;
        }
    }
}

/// The VM's hints about steps, through the worker that feeds them.
struct WorkerHints<'w, 'r, V: Vm> {
    worker: &'w mut Worker<'r, V>,
    workers: usize,
}

impl<V: Vm> StepHints<V::Step> for WorkerHints<'_, '_, V> {
    fn conflict_class(&mut self, step: &V::Step) -> Option<u64> {
        self.worker.vm.conflict_class(&mut self.worker.state, step)
    }

    fn weight(&mut self, step: &V::Step) -> u64 {
        self.worker.vm.weight(&mut self.worker.state, step)
    }

    fn workers(&self) -> usize {
        self.workers
    }
}

impl<V, S, I, B> Stream<V, S, Feed<I, B>>
where
    V: Vm,
    S: Sink<V>,
    I: Iterator<Item: IntoIterator<IntoIter = B>> + Send,
    B: Iterator<Item = V::Step> + Send,
{
    pub(crate) fn new(
        shared: Shared<V>,
        settings: &Settings,
        placement: Placement,
        feed: Feed<I, B>,
        frontier: Frontier<V, S>,
    ) -> Self {
        let Settings { threads, timing, timelines, runs, .. } = *settings;
        Self {
            shared,
            feed: Mutex::new(feed),
            frontier: Mutex::new(frontier),
            served: AtomicBool::new(false),
            threads,
            timing,
            timelines,
            runs,
            start: Instant::now(),
            placement,
            arrived: AtomicUsize::new(0),
        }
    }

    /// Whether the CPU affinity of one of its threads could not be restored.
    pub(crate) fn left_pinned(&self) -> bool {
        self.placement.left_pinned()
    }

    /// Takes the stream apart when all workers have left: the counters and the shared state.
    pub(crate) fn finish(self) -> (Metrics, Shared<V>) {
        (self.shared.control.metrics(), self.shared)
    }

    /// Executes the stream to its end on this thread and on helpers, round by round. Then drops the sink, which shows the end to a consumer
    /// that is connected to it. Never unwinds.
    pub(crate) fn drive(&self, vm: &V, helpers: &ThreadPool, owner: ThreadOwner) {
        loop {
            helpers.in_place_scope(|scope| {
                // One worker per thread: a worker that waits must not begin the loop of another one.
                let invite = || scope.spawn_broadcast(move |_, _| self.work(vm, ThreadOwner::Engine, None));
                self.work(vm, owner, Some(&invite));
            });
            if !self.begin_round(vm) {
                break;
            }
        }
        self.close();
    }

    /// Forgets all values and begins the next round, when all workers have left, if that is why the round ended. Never unwinds.
    pub(crate) fn begin_round(&self, vm: &V) -> bool {
        let Self { shared, feed, frontier, .. } = self;
        let mut feed = feed.lock();
        if !feed.is_full() || shared.control.ends_early() {
            return false;
        }
        let retire = AssertUnwindSafe(|| vm.retire(&mut shared.store.changed()));
        let memory = if !frontier.lock().segment.first_values.is_empty() {
            // The sink will want to know what these values are.
            shared.store.used().saturating_mul(2)
        } else {
            match catch_unwind(retire) {
                Ok(true) => {
                    shared.store.forget();
                    shared.control.tallies.update(0, |tally| tally.retirements += 1);
                    feed.memory()
                }
                Ok(false) => usize::MAX,
                Err(panic) => {
                    shared.control.fail(StreamError::Panic { position: None, message: message(panic) });
                    return false;
                }
            }
        };
        feed.begin_round(shared, memory);
        self.arrived.store(0, Ordering::Relaxed);
        shared.control.begin_round()
    }

    /// Drops the sink.
    pub(crate) fn close(&self) {
        let sink = self.frontier.lock().sink.take();
        let _ = catch_unwind(AssertUnwindSafe(|| drop(sink)));
    }

    /// The loop of a worker, until the stream's end. `invite` wakes the helpers. Never unwinds.
    pub(crate) fn work(&self, vm: &V, owner: ThreadOwner, invite: Option<&dyn Fn()>) {
        let work = AssertUnwindSafe(|| self.work_until_stopped(vm, owner, invite));
        if let Err(panic) = catch_unwind(work) {
            self.shared.control.fail(StreamError::Panic { position: None, message: message(panic) });
        }
    }

    /// Puts more steps into the window, if no other worker does. While speculation pauses, the worker that serves the frontier feeds, so
    /// that it has the steps in its caches.
    fn feed(&self, worker: &mut Worker<'_, V>) -> bool {
        if self.pauses() && self.served.load(Ordering::Relaxed) {
            return false;
        }
        let Some(mut feed) = self.feed.try_lock() else {
            worker.metrics.lost_locks += 1;
            return false;
        };
        let start = worker.now();
        // A worker that executes all steps at the frontier needs as many as fit into a run there.
        let claim = if self.pauses() { MAX_FRONTIER_RUN } else { worker.claim_size };
        let fed = feed.feed(&self.shared, claim, WorkerHints { worker, workers: self.threads });
        worker.metrics.feed_time += since(start);
        fed
    }

    fn work_until_stopped(&self, vm: &V, owner: ThreadOwner, mut invite: Option<&dyn Fn()>) {
        let shared = &self.shared;
        if shared.control.stopped() {
            // The stream ended before this thread was awake.
            return;
        }
        let id = self.arrived.fetch_add(1, Ordering::Relaxed);
        let metrics = shared.control.tallies.get(id);
        let mut worker = Worker {
            vm,
            state: vm.worker(View::of_versions(&shared.store, shared)),
            flushed: metrics.executions + metrics.steps,
            metrics,
            timing: self.timing,
            claim_size: 1,
            prefetching: Prefetching::new(),
            id,
            timeline: self.timelines.then(Vec::new),
            origin: self.start,
        };
        let mut cpu = WorkerCpu::new(worker.id, owner == ThreadOwner::Engine);
        self.placement.check_in(&mut cpu);
        if worker.id > 0 && worker.id + 1 < self.threads {
            self.placement.yield_cpu();
        }
        while !shared.control.stopped() {
            self.placement.check_in(&mut cpu);
            let seen = (shared.frontier.get_in_order(), shared.fed.get_in_order());
            let ended = shared.end.get_in_order();
            // A stream with a consumer has helpers from the start: more steps may come.
            if (owner == ThreadOwner::Engine || seen.1 > FEW)
                && let Some(invite) = invite.take()
            {
                invite();
                self.placement.yield_cpu();
            }
            if self.serve_frontier(&mut worker, false)
                || self.speculate_next(&mut worker)
                || self.feed(&mut worker)
                || self.serve_frontier(&mut worker, true)
                || (!self.pauses() && self.check_early(&mut worker))
            {
                worker.flush_counters(1, &shared.control.tallies);
                continue;
            }
            let start = Instant::now();
            if self.pauses() {
                nap(NAP);
            } else {
                self.placement.check_out(&cpu);
                shared.control.signal.wait_until(|| {
                    shared.control.stopped()
                        || (shared.frontier.get_in_order(), shared.fed.get_in_order()) != seen
                        || shared.end.get_in_order() != ended
                });
            }
            worker.metrics.idle_time += start.elapsed();
        }
        self.placement.finish(cpu);
        worker.flush_counters(0, &shared.control.tallies);
        shared.control.tallies.update(worker.id, |tally| tally.timelines.extend(worker.timeline.take()));
    }
}
