//! Streams on one thread: each step executes at its turn, on a plain table of values.

mod commit;
mod run;
mod steps;

use crate::admissions::Admissions;
use crate::config::Settings;
use crate::control::Control;
use crate::domain::Domain;
use crate::error::{StreamError, message};
use crate::guard::reject;
use crate::metrics::{Event, Metrics};
use crate::prefetching::Prefetching;
use crate::segment::Segment;
use crate::shared::MAX_FRONTIER_RUN;
use crate::sink::{Outcome, Sink};
use crate::table::Table;
use crate::tallies::FLUSH_INTERVAL;
use crate::view::View;
use crate::vm::Vm;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;
use steps::Steps;

/// What a view of a stream on one thread has.
const TABLE: &str = "the view reads a table";

/// A stream, and the one worker that executes it.
struct Serial<'r, V: Vm, S, I, B> {
    vm: &'r V,
    state: V::Worker<'r>,
    control: &'r Control<V::Error>,
    sink: &'r mut S,
    steps: Steps<V, I, B>,
    segment: Segment<V::Domain>,
    admissions: Admissions<V>,
    /// Whether to execute several steps as one run.
    runs: bool,
    /// Upper bound on the length of a run, in steps: one after a run that had to be shortened, doubled after each run since up to `longest`.
    max_run: u64,
    /// No bound if the sink takes all steps, until a run had to be shortened: its steps were executed twice.
    longest: u64,
    prefetching: Prefetching,
    metrics: Metrics,
    /// Final steps when it last flushed its counters.
    flushed: u64,
    /// Upper bound on the memory of values, in bytes (see [`crate::Config::memory`]).
    memory: usize,
    /// Whether to measure time per phase.
    timing: bool,
    /// Its events, if they are recorded.
    timeline: Option<Vec<Event>>,
    /// The origin of the events' times.
    start: Instant,
}

/// Executes a stream to its end on the calling thread, on the memory of `table`. Then drops the sink, which shows the end to a consumer
/// that is connected to it. Never unwinds.
pub(crate) fn execute<V, S, I>(
    vm: &V,
    control: &Control<V::Error>,
    settings: &Settings,
    table: &mut Table<V::Domain>,
    batches: I,
    mut sink: S,
) where
    V: Vm,
    S: Sink<V>,
    I: Iterator<Item: IntoIterator<Item = V::Step>>,
{
    let work = AssertUnwindSafe(|| {
        let longest = if sink.takes_all() { u64::MAX } else { MAX_FRONTIER_RUN };
        let mut serial = Serial {
            vm,
            state: vm.worker(View::of_table(std::mem::take(table))),
            control,
            sink: &mut sink,
            steps: Steps::new(batches),
            segment: Segment::default(),
            admissions: Admissions::default(),
            runs: settings.runs && !vm.records_always(),
            max_run: longest,
            longest,
            prefetching: Prefetching::new(),
            metrics: Metrics::new(V::Domain::KINDS.len()),
            flushed: 0,
            memory: settings.memory,
            timing: settings.timing,
            timeline: settings.timelines.then(Vec::new),
            start: Instant::now(),
        };
        serial.work();
        if let Some((used, _)) = vm.view(&mut serial.state).table() {
            *table = std::mem::take(used);
            table.clear();
        }
    });
    if let Err(panic) = catch_unwind(work) {
        control.fail(StreamError::Panic { position: None, message: message(panic) });
    }
    let _ = catch_unwind(AssertUnwindSafe(|| drop(sink)));
}

impl<V, S, I, B> Serial<'_, V, S, I, B>
where
    V: Vm,
    S: Sink<V>,
    I: Iterator<Item: IntoIterator<IntoIter = B>>,
    B: Iterator<Item = V::Step>,
{
    fn work(&mut self) {
        while !self.control.stopped() {
            if !self.steps.pull_in_batch(0) {
                // The input may take its time.
                self.flush_counters();
                self.retire_if_full();
                if !self.steps.next_batch() {
                    self.control.stop();
                }
                continue;
            }
            if let Err(error) = self.settle() {
                self.control.fail(error);
                break;
            }
            if self.metrics.steps - self.flushed >= FLUSH_INTERVAL {
                self.flush_counters();
            }
        }
        self.flush_counters();
        let timeline = self.timeline.take();
        self.control.tallies.update(0, |tally| tally.timelines.extend(timeline));
    }

    /// Makes the next step final, together with the other steps of its run if the sink takes them all.
    fn settle(&mut self) -> Result<(), StreamError<V::Error>> {
        let position = self.steps.position();
        if let Some(output) = self.admissions.take_skipped(position) {
            return self.finalize_without_effects(output, Outcome::Skipped);
        }
        let mut most = if self.runs { self.max_run } else { 1 };
        loop {
            let len = match self.execute_run(most) {
                Ok(len) => len,
                Err(failure) => {
                    let rejected = reject(self.vm, &mut self.state, self.steps.step(0), failure);
                    let output = rejected.map_err(|failure| failure.at(position))?;
                    return self.finalize_without_effects(output, Outcome::Rejected);
                }
            };
            let taken = self.admit(len);
            if taken == len {
                return self.commit(len);
            }
            self.shorten_runs();
            if let Some(output) = self.admissions.take_skipped(position) {
                return self.finalize_without_effects(output, Outcome::Skipped);
            }
            most = taken;
        }
    }

    /// Forgets all values if they take too much memory.
    fn retire_if_full(&mut self) {
        let used = self.table().used();
        if used <= self.memory {
            return;
        }
        if !self.segment.first_values.is_empty() {
            // The sink will want to know what these values are.
            self.memory = used.saturating_mul(2);
            return;
        }
        let (vm, view) = (self.vm, self.view().successor());
        self.state = vm.worker(view);
        let table = self.table();
        if vm.retire(&mut table.changed()) {
            table.clear();
            self.metrics.retirements += 1;
        } else {
            self.memory = usize::MAX;
        }
    }

    fn shorten_runs(&mut self) {
        self.max_run = 1;
        self.longest = MAX_FRONTIER_RUN;
    }

    fn flush_counters(&mut self) {
        self.flushed = self.metrics.steps;
        self.control.tallies.update(0, |tally| tally.copy_from(&self.metrics));
    }
}

impl<'r, V: Vm, S, I, B> Serial<'r, V, S, I, B> {
    fn view(&mut self) -> &mut View<'r, V::Domain> {
        self.vm.view(&mut self.state)
    }

    fn table(&mut self) -> &mut Table<V::Domain> {
        self.view().table().expect(TABLE).0
    }

    /// The present time, if it is measured.
    fn now(&self) -> Option<Instant> {
        self.timing.then(Instant::now)
    }
}
