mod run;
mod serve;
mod speculate;

use crate::background::assist;
use crate::error::StreamError;
use crate::feed::{Feed, Scout};
use crate::frontier::{Frontier, Sink};
use crate::metrics::{Event, EventKind, Metrics};
use crate::seats::Seats;
use crate::shared::{LONGEST_AT_FRONTIER, Shared};
use crate::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use crate::sync::{MODEL, Mutex, nap};
use crate::view::View;
use crate::vm::{Domain, Vm};
use crate::window::Body;
use std::time::{Duration, Instant};

/// How long a worker sleeps while speculation pauses.
const NAP: Duration = Duration::from_micros(100);
/// Steps that take less are cheap: see [`Vm::approach`], and `Record::keep_back`.
const CHEAP: Duration = Duration::from_micros(10);
/// How many cheap steps are approached at once.
const APPROACHED: u32 = 16;

/// One stream and everything its workers need.
pub(crate) struct Crew<V: Vm, S, I, B> {
    pub(crate) shared: Shared<V>,
    feed: Mutex<Feed<I, B>>,
    frontier: Mutex<Frontier<V, S>>,
    /// Whether somebody serves the frontier: a hint.
    served: AtomicBool,
    threads: usize,
    timing: bool,
    timelines: bool,
    /// Whether steps may be executed in runs.
    runs: bool,
    /// What the times of events count from.
    start: Instant,
    /// Workers that have not left. Each counts down once; the last one closes the sink.
    present: AtomicUsize,
    /// Where they are.
    seats: Seats,
    /// Number of workers that have come.
    arrived: AtomicUsize,
    metrics: Mutex<Metrics>,
}

/// The time since `start`; zero if it was not measured.
fn since(start: Option<Instant>) -> Duration {
    start.map_or(Duration::ZERO, |start| start.elapsed())
}

/// What one worker owns.
struct Worker<'r, V: Vm> {
    vm: &'r V,
    state: V::Worker<'r>,
    metrics: Metrics,
    /// Whether to measure time per phase.
    timing: bool,
    /// How many steps it claims at once, by how long the last ones took.
    run: u64,
    /// Up to where steps were approached; when that was, after so many executions.
    approached: (u64, Instant, u64),
    /// Which one of the workers it is.
    id: usize,
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

    /// Executes the step in `body`, the first of a run or the next one; what it recorded stays in the view.
    fn execute(
        &mut self,
        position: u64,
        body: &mut Body<V>,
        speculative: bool,
    ) -> Result<V::Output, V::Error> {
        if position >= self.approached.0 && !self.view().is_continued() {
            self.approach(position, body);
        }
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

    /// Whether so many steps, which took so long, were cheap, and those before them, too. Models must not depend on time.
    fn were_cheap(&self, steps: u64, time: Duration) -> bool {
        self.run > 1 && (MODEL || time < CHEAP * steps as u32)
    }

    /// Lets the VM fetch what the steps from `position` on need, if the last ones were cheap.
    fn approach(&mut self, position: u64, body: &Body<V>) {
        let (now, executions) = (Instant::now(), self.metrics.executions);
        let (_, then, before) = self.approached;
        self.approached = (position + u64::from(APPROACHED), now, executions);
        let cheap = CHEAP * (executions - before).min(APPROACHED.into()) as u32;
        if let Some(step) = &body.step
            && now - then < cheap
        {
            self.vm.approach(&mut self.state, step, APPROACHED as usize);
        }
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

/// A worker's look at what it feeds.
struct Ahead<'w, 'r, V: Vm> {
    worker: &'w mut Worker<'r, V>,
    workers: usize,
}

impl<V: Vm> Scout<V::Step> for Ahead<'_, '_, V> {
    fn group(&mut self, step: &V::Step) -> Option<u64> {
        self.worker.vm.group(&mut self.worker.state, step)
    }

    fn weight(&mut self, step: &V::Step) -> u64 {
        self.worker.vm.weight(&mut self.worker.state, step)
    }

    fn workers(&self) -> usize {
        self.workers
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
        runs: bool,
        feed: Feed<I, B>,
        sink: S,
    ) -> Self {
        Self {
            shared,
            feed: Mutex::new(feed),
            frontier: Mutex::new(Frontier::new(sink)),
            served: AtomicBool::new(false),
            threads,
            timing,
            timelines,
            runs,
            start: Instant::now(),
            present: AtomicUsize::new(threads),
            seats: Seats::new(threads),
            arrived: AtomicUsize::new(0),
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

    /// Puts more steps into the window, if nobody else does. While speculation pauses, that is left to whoever serves the
    /// frontier, who then has them in its caches.
    fn feed(&self, worker: &mut Worker<'_, V>) -> bool {
        if self.pauses() && self.served.load(Ordering::Relaxed) {
            return false;
        }
        let Some(mut feed) = self.feed.try_lock() else { return false };
        // Who executes one step after the other has as many as fit into a run.
        let alone = self.threads == 1 || self.pauses();
        let run = if alone { LONGEST_AT_FRONTIER } else { worker.run };
        feed.feed(&self.shared, run, Ahead { worker, workers: self.threads })
    }

    fn work_until_stopped(&self, vm: &V) {
        let shared = &self.shared;
        let mut worker = Worker {
            vm,
            state: vm.worker(View::new(shared)),
            metrics: Metrics { conflicts_by_kind: vec![0; V::Domain::KINDS.len()], ..Metrics::default() },
            timing: self.timing,
            run: 1,
            approached: (0, Instant::now(), 0),
            id: self.arrived.fetch_add(1, Ordering::Relaxed),
            timeline: self.timelines.then(Vec::new),
            origin: self.start,
        };
        self.seats.take(worker.id);
        if worker.id + 1 < self.threads {
            self.seats.make_way();
        }
        while !shared.stopped() {
            self.seats.take(worker.id);
            let seen = (shared.frontier.load(Ordering::SeqCst), shared.fed.load(Ordering::SeqCst));
            let ended = shared.end.load(Ordering::SeqCst);
            if self.serve_frontier(&mut worker, false)
                || self.speculate_next(&mut worker)
                || self.feed(&mut worker)
                || self.serve_frontier(&mut worker, true)
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
            self.seats.leave(worker.id);
            shared.signal.wait_usefully(|| {
                shared.stopped()
                    || (shared.frontier.load(Ordering::SeqCst), shared.fed.load(Ordering::SeqCst)) != seen
                    || shared.end.load(Ordering::SeqCst) != ended
            });
            worker.metrics.idle_time += start.elapsed();
        }
        self.seats.leave(worker.id);
        let (waits, waited) = (worker.view().waits, worker.view().waited);
        worker.metrics.waits += waits;
        worker.metrics.idle_time += waited;
        worker.metrics.timelines.extend(worker.timeline.take());
        self.metrics.lock().merge(&worker.metrics);
    }
}
