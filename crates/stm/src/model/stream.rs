//! The workers of whole streams, a few steps long.

use super::check;
use crate::arena::Arena;
use crate::cell::{Cell, Words};
use crate::config::{Cut, Settings};
use crate::domain::Domain;
use crate::feed::Feed;
use crate::frontier::Frontier;
use crate::placement::{Migration, Placement};
use crate::predicate::Check;
use crate::shared::Shared;
use crate::sink::{Admission, Changes, History, Sink};
use crate::view::View;
use crate::vm::Vm;
use crate::worker::{Stream, ThreadOwner};
use loom::thread::spawn;
use std::sync::{Arc, Mutex};

/// A step adds one to the counter of its number and yields the value before. If that value has reached the limit, the step fails, is
/// rejected and yields [`REJECTED`].
struct Counters {
    limit: u64,
}

const REJECTED: u64 = 100;
/// Added to the output of a step that is skipped.
const SKIPPED: u64 = 200;

#[derive(Default)]
struct KeyCell(Words<1>);

impl Cell<u8> for KeyCell {
    fn load(&self) -> u8 {
        self.0.word(0) as u8
    }

    fn store(&self, key: u8) {
        self.0.set_word(0, key.into());
    }
}

impl Domain for Counters {
    type Key = u8;
    type KeyCell = KeyCell;
    type Value = [u64; 1];
    type Cell = Words<1>;
    type Observation = u64;
    type Effect = u64;

    const KINDS: &'static [&'static str] = &["counter"];

    fn check(observation: &u64, value: &[u64; 1]) -> Check {
        if *observation == value[0] { Check::Holds } else { Check::Violated(0) }
    }

    fn apply(effect: &u64, value: &mut [u64; 1]) -> bool {
        std::mem::replace(value, [*effect]) != [*effect]
    }
}

impl Vm for Counters {
    type Domain = Self;
    type Step = u8;
    type Output = u64;
    type Error = ();
    type Worker<'r> = View<'r, Self>;

    fn worker<'r>(&'r self, view: View<'r, Self>) -> View<'r, Self> {
        view
    }

    fn view<'w, 'r>(&self, worker: &'w mut Self::Worker<'r>) -> &'w mut View<'r, Self> {
        worker
    }

    fn execute<'r>(&'r self, view: &mut View<'r, Self>, step: &u8) -> Result<u64, ()> {
        let read = view.read(step, || Ok::<_, ()>([0]))?;
        view.observe(read.sighting, read.value[0]);
        view.effect(read.sighting.entry, read.value[0] + 1);
        if read.value[0] < self.limit { Ok(read.value[0]) } else { Err(()) }
    }

    fn reject(&self, _: &u8, (): ()) -> Result<u64, ()> {
        Ok(REJECTED)
    }
}

/// Adds outputs to a list that loom does not know of. `skips` decides from the list whether to skip a step.
struct Outputs {
    skips: fn(&[u64]) -> bool,
    outputs: Arc<Mutex<Vec<u64>>>,
}

impl Sink<Counters> for Outputs {
    fn admit(&mut self, _: &u8, output: &mut u64) -> Admission {
        if !(self.skips)(&self.outputs.lock().expect("nothing panics here")) {
            return Admission::Take;
        }
        *output += SKIPPED;
        Admission::Skip
    }

    fn finalize(&mut self, _: u8, output: u64, _: &mut Changes<'_, Counters>, _: History) -> Result<(), ()> {
        self.outputs.lock().expect("nothing panics here").push(output);
        Ok(())
    }
}

/// Executes a stream of one batch on two workers under all schedules with few preemptions.
fn explore(preemptions: usize, batch: &'static [u8], expected: &'static [u64]) {
    explore_by(preemptions, u64::MAX, |_| false, batch, expected);
}

/// The same where counters have a limit, and some steps are skipped.
fn explore_by(
    preemptions: usize,
    limit: u64,
    skips: fn(&[u64]) -> bool,
    batch: &'static [u8],
    expected: &'static [u64],
) {
    check(preemptions, move || {
        let outputs = Arc::new(Mutex::new(Vec::new()));
        let settings = Settings {
            threads: 2,
            window: 2,
            timing: false,
            timelines: false,
            hints: true,
            runs: true,
            memory: usize::MAX,
        };
        let (shared, roles) = Shared::new(2, 2, &mut Arena::default());
        let stream = Arc::new(Stream::new(
            shared,
            &settings,
            Placement::new(2, Migration::new(false)),
            Feed::new(std::iter::once(batch.iter().copied()), Cut::Never, &settings, roles.input),
            Frontier::new(Outputs { skips, outputs: outputs.clone() }, roles.frontier),
        ));
        let other = {
            let stream = stream.clone();
            spawn(move || stream.work(&Counters { limit }, ThreadOwner::Engine, None))
        };
        stream.work(&Counters { limit }, ThreadOwner::Caller, None);
        other.join().expect("workers do not unwind");
        assert_eq!(stream.shared.control.take_failure(), None);
        assert_eq!(*outputs.lock().expect("nothing panics here"), expected);
    });
}

#[test]
fn one_step_becomes_final() {
    explore(2, &[0], &[0]);
}

#[test]
fn independent_steps_become_final() {
    explore(2, &[0, 1], &[0, 0]);
}

#[test]
fn dependent_steps_become_final() {
    explore(2, &[0, 0], &[0, 1]);
}

#[test]
fn a_skipped_step_becomes_final_without_effects() {
    explore_by(1, u64::MAX, |outputs| outputs.is_empty(), &[0, 0], &[SKIPPED, 0]);
}

#[test]
fn a_rejected_step_becomes_final_without_effects() {
    explore_by(1, 1, |_| false, &[0, 0], &[0, REJECTED]);
}
