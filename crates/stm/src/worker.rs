mod commit;
mod guard;
mod run;
mod serve;
mod speculate;

use crate::config::Settings;
use crate::domain::Domain;
use crate::error::{StreamError, message};
use crate::feed::{Feed, Scout};
use crate::frontier::Frontier;
use crate::metrics::{Event, EventKind, Metrics};
use crate::seats::{Seat, Seats};
use crate::shared::{LONGEST_AT_FRONTIER, Shared};
use crate::sink::Sink;
use crate::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use crate::sync::{MODEL, Mutex, ThreadPool, nap};
use crate::tallies::Tallies;
use crate::view::View;
use crate::vm::Vm;
use crate::window::Body;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

/// A stream of so few steps is over before helpers are awake.
const FEW: u64 = 4;
/// How long a worker sleeps while speculation pauses.
const NAP: Duration = Duration::from_micros(100);
/// Steps that take less are cheap: see [`Vm::approach`], and `Record::keep_back`.
const CHEAP: Duration = Duration::from_micros(10);
/// How many cheap steps are approached at once.
const APPROACHED: u32 = 16;

/// Whose thread a worker runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Thread {
    /// The engine's.
    Own,
    /// A caller's, who waits for the end.
    Caller,
}

/// One stream and everything its workers need.
pub(crate) struct Crew<V: Vm, S, F> {
    pub(crate) shared: Shared<V>,
    feed: Mutex<F>,
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
    /// Where the workers are.
    seats: Seats,
    /// Number of workers that have come.
    arrived: AtomicUsize,
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
    /// How much it had done when it last told its counters.
    told: u64,
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
    fn view(&mut self) -> &mut View<'r, V::Domain> {
        self.vm.view(&mut self.state)
    }

    /// The present, if time is measured.
    fn now(&self) -> Option<Instant> {
        self.timing.then(Instant::now)
    }

    /// Whether so many steps, which took so long, were cheap, and those before them, too. Models must not depend on time.
    fn were_cheap(&self, steps: u64, time: Duration) -> bool {
        self.run > 1 && (MODEL || time < CHEAP * steps as u32)
    }

    /// If the last steps were cheap, the first of those that the VM may fetch things for, as of `position`; and their number.
    fn approaches<'b>(&mut self, position: u64, body: &'b Body<V>) -> Option<(&'b V::Step, usize)> {
        if position < self.approached.0 {
            return None;
        }
        let (now, executions) = (Instant::now(), self.metrics.executions);
        let (_, then, before) = self.approached;
        self.approached = (position + u64::from(APPROACHED), now, executions);
        let cheap = CHEAP * (executions - before).min(APPROACHED.into()) as u32;
        let step = body.step.as_ref().filter(|_| now - then < cheap)?;
        Some((step, APPROACHED as usize))
    }

    /// Writes down something that began at `start`.
    fn note(&mut self, position: u64, kind: EventKind, start: Option<Instant>) {
        if let (Some(timeline), Some(start)) = (&mut self.timeline, start) {
            let (start, time) = (start.saturating_duration_since(self.origin), start.elapsed());
            timeline.push(Event { position, kind, start, time });
        }
    }

    /// Tells its counters if it has done so much since it last did.
    fn tell(&mut self, least: u64, tallies: &Tallies) {
        let done = self.metrics.executions + self.metrics.steps;
        if done - self.told < least {
            return;
        }
        self.told = done;
        let (waits, waited) = (self.view().waits, self.view().waited);
        tallies.tell(self.id, |told| {
            told.copy_from(&self.metrics);
            told.waits = waits;
            told.idle_time += waited;
        });
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

impl<V, S, I, B> Crew<V, S, Feed<I, B>>
where
    V: Vm,
    S: Sink<V>,
    I: Iterator<Item: IntoIterator<IntoIter = B>> + Send,
    B: Iterator<Item = V::Step> + Send,
{
    pub(crate) fn new(
        shared: Shared<V>,
        settings: &Settings,
        seats: Seats,
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
            seats,
            arrived: AtomicUsize::new(0),
        }
    }

    /// What is left once all workers have gone; and whether one of them left a thread that could not be moved back.
    pub(crate) fn finish(self) -> (Metrics, Shared<V>, bool) {
        (self.shared.tallies.sum(), self.shared, self.seats.are_bound())
    }

    /// Executes the stream to its end on this thread, and on those that help. Then the sink is dropped, which is how a consumer behind
    /// it sees the end. Never unwinds.
    pub(crate) fn drive(&self, vm: &V, helpers: Option<&ThreadPool>, thread: Thread) {
        match helpers {
            None => self.work(vm, thread, None),
            Some(helpers) => helpers.in_place_scope(|scope| {
                // One for each thread: where a worker waits, it must not come upon the loop of another one.
                let invite = || scope.spawn_broadcast(move |_, _| self.work(vm, Thread::Own, None));
                self.work(vm, thread, Some(&invite));
            }),
        }
        self.close();
    }

    /// Drops the sink.
    pub(crate) fn close(&self) {
        let sink = self.frontier.lock().sink.take();
        let _ = catch_unwind(AssertUnwindSafe(|| drop(sink)));
    }

    /// What each worker runs, until the stream's end. Never unwinds.
    pub(crate) fn work(&self, vm: &V, thread: Thread, invite: Option<&dyn Fn()>) {
        let work = AssertUnwindSafe(|| self.work_until_stopped(vm, thread, invite));
        if let Err(panic) = catch_unwind(work) {
            self.shared.fail(StreamError::Panic { position: None, message: message(panic) });
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

    fn work_until_stopped(&self, vm: &V, thread: Thread, mut invite: Option<&dyn Fn()>) {
        let shared = &self.shared;
        if shared.stopped() {
            // Over before this thread was awake.
            return;
        }
        let mut worker = Worker {
            vm,
            state: vm.worker(View::new(&shared.store, shared)),
            metrics: Metrics::new(V::Domain::KINDS.len()),
            told: 0,
            timing: self.timing,
            run: 1,
            approached: (0, Instant::now(), 0),
            id: self.arrived.fetch_add(1, Ordering::Relaxed),
            timeline: self.timelines.then(Vec::new),
            origin: self.start,
        };
        let mut seat = Seat::new(worker.id, thread == Thread::Own);
        self.seats.take(&mut seat);
        if worker.id > 0 && worker.id + 1 < self.threads {
            self.seats.make_way();
        }
        while !shared.stopped() {
            self.seats.take(&mut seat);
            let seen = (shared.frontier.get_in_order(), shared.fed.get_in_order());
            let ended = shared.end.get_in_order();
            // Who serves a consumer has helpers from the start: there is more to come.
            if (thread == Thread::Own || seen.1 > FEW)
                && let Some(invite) = invite.take()
            {
                invite();
                self.seats.make_way();
            }
            if self.serve_frontier(&mut worker, false)
                || self.speculate_next(&mut worker)
                || self.feed(&mut worker)
                || self.serve_frontier(&mut worker, true)
                || (!self.pauses() && self.check_early(&mut worker))
            {
                worker.tell(1, &shared.tallies);
                continue;
            }
            let start = Instant::now();
            if self.pauses() {
                nap(NAP);
            } else {
                self.seats.leave(&seat);
                shared.signal.wait_until(|| {
                    shared.stopped()
                        || (shared.frontier.get_in_order(), shared.fed.get_in_order()) != seen
                        || shared.end.get_in_order() != ended
                });
            }
            worker.metrics.idle_time += start.elapsed();
        }
        self.seats.give_up(seat);
        worker.tell(0, &shared.tallies);
        shared.tallies.tell(worker.id, |told| told.timelines.extend(worker.timeline.take()));
    }
}
