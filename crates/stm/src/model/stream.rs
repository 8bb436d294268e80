//! The workers of whole streams, a few steps long.

use super::check;
use crate::arena::Arena;
use crate::cell::{Cell, Words};
use crate::config::Cut;
use crate::feed::Feed;
use crate::frontier::{Changes, History, Sink};
use crate::predicate::Check;
use crate::seats::{Moves, Seats};
use crate::shared::Shared;
use crate::view::View;
use crate::vm::{Domain, Vm};
use crate::worker::{Crew, Settings, Thread};
use loom::thread::spawn;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};

/// A step adds one to the counter of its number and yields what it was before.
struct Counters;

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
    type Error = Infallible;
    type Worker<'r> = View<'r, Self>;

    fn worker<'r>(&'r self, view: View<'r, Self>) -> View<'r, Self> {
        view
    }

    fn view<'w, 'r>(&self, worker: &'w mut Self::Worker<'r>) -> &'w mut View<'r, Self> {
        worker
    }

    fn execute<'r>(&'r self, view: &mut View<'r, Self>, step: &u8) -> Result<u64, Infallible> {
        let read = view.read(step, || Ok::<_, Infallible>([0]))?;
        view.observe(read.sighting, read.value[0]);
        view.effect(read.sighting.entry, read.value[0] + 1);
        Ok(read.value[0])
    }
}

/// Adds outputs to a list that loom does not know of.
struct Outputs(Arc<Mutex<Vec<u64>>>);

impl Sink<Counters> for Outputs {
    fn finalize(
        &mut self,
        _: u8,
        output: u64,
        _: &mut Changes<'_, Counters>,
        _: History,
    ) -> Result<(), Infallible> {
        self.0.lock().expect("nothing panics here").push(output);
        Ok(())
    }
}

/// Runs a stream of batches on two workers under all schedules with few preemptions.
fn run(preemptions: usize, batches: &'static [&'static [u8]], expected: &'static [u64]) {
    check(preemptions, move || {
        let outputs = Arc::new(Mutex::new(Vec::new()));
        let settings =
            Settings { threads: 2, window: 2, timing: false, timelines: false, hints: true, runs: true };
        let crew = Arc::new(Crew::new(
            Shared::new(2, &mut Arena::default()),
            &settings,
            Seats::new(2, Moves::new(false)),
            Feed::new(batches.iter().map(|batch| batch.iter().copied()), Cut::Never, true),
            Outputs(outputs.clone()),
        ));
        let other = {
            let crew = crew.clone();
            spawn(move || crew.work(&Counters, Thread::Own, None))
        };
        crew.work(&Counters, Thread::Caller, None);
        other.join().expect("workers do not unwind");
        assert_eq!(crew.shared.take_failure(), None);
        assert_eq!(*outputs.lock().expect("nothing panics here"), expected);
    });
}

#[test]
fn one_step_becomes_final() {
    run(2, &[&[0]], &[0]);
}

#[test]
fn independent_steps_become_final() {
    run(2, &[&[0, 1]], &[0, 0]);
}

#[test]
fn dependent_steps_become_final() {
    run(2, &[&[0, 0]], &[0, 1]);
}
