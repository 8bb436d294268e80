//! Streams that end with their input or with a step that fails.

use crate::explore::{Chooser, check, explore};
use crate::toy::harness::{Recorder, compare};
use crate::toy::oracle::Log;
use crate::toy::{Step, Toy, ToyError};
use shuttle::sync::mpsc::channel;
use std::sync::{LazyLock, Mutex};
use tandem_stm::{Admission, Arena, Changes, History, Metrics, Sink};

/// Two streams, one after the other, on one engine and the same memory.
fn streams(chooser: &mut Chooser, strict: bool, sum: &Mutex<Metrics>) {
    let (engine, window) = chooser.engine();
    let mut arena = Arena::default();
    for _ in 0..2 {
        let batches = chooser.stream(strict);
        let metrics = check(chooser, &engine, &mut arena, &batches);
        arena.assert_returned(window);
        sum.lock().expect("nothing panics here").merge(&metrics);
    }
}

/// Runs streams under many schedules. Those that never conflict prove little, so the ladder's rungs are counted.
fn explore_streams(scenario: fn(&mut Chooser), sum: &Mutex<Metrics>) {
    explore(scenario);
    let sum = sum.lock().expect("nothing panics here");
    let Metrics { early_reexecutions, moved, repairs, followed, waits, .. } = *sum;
    let rungs = [early_reexecutions, moved, repairs, followed, waits];
    assert!(rungs.iter().chain(&sum.conflicts_by_kind).all(|count| *count > 0), "{sum:#?}");
}

#[test]
fn streams_equal_serial_execution() {
    static SUM: LazyLock<Mutex<Metrics>> = LazyLock::new(Mutex::default);
    explore_streams(|chooser| streams(chooser, false, &SUM), &SUM);
}

#[test]
fn streams_stop_where_serial_execution_fails() {
    static SUM: LazyLock<Mutex<Metrics>> = LazyLock::new(Mutex::default);
    explore_streams(|chooser| streams(chooser, true, &SUM), &SUM);
    assert!(SUM.lock().expect("nothing panics here").blocked > 0);
}

/// Streams that forget their values after each batch.
#[test]
fn streams_in_rounds_equal_serial_execution() {
    static SUM: LazyLock<Mutex<Metrics>> = LazyLock::new(Mutex::default);
    explore(|chooser| {
        let (engine, window) = chooser.small_engine(0);
        let mut arena = Arena::default();
        for strict in [false, true] {
            let batches = chooser.stream(strict);
            let metrics = check(chooser, &engine, &mut arena, &batches);
            arena.assert_returned(window);
            SUM.lock().expect("nothing panics here").merge(&metrics);
        }
    });
    let sum = SUM.lock().expect("nothing panics here");
    assert!(sum.conflicts > 0 && sum.retirements > 0, "{sum:#?}");
}

/// Executes another stream at its first step.
struct Nested<'a> {
    recorder: Recorder<'a>,
    inner: &'a (dyn Fn() + Sync),
}

impl Sink<Toy> for Nested<'_> {
    fn admit(&mut self, step: &Step, output: &mut Vec<i64>) -> Admission {
        self.recorder.admit(step, output)
    }

    fn finalize(
        &mut self,
        step: Step,
        output: Vec<i64>,
        changes: &mut Changes<'_, Toy>,
        history: History,
    ) -> Result<(), ToyError> {
        if self.recorder.log.outputs.is_empty() {
            (self.inner)();
        }
        self.recorder.finalize(step, output, changes, history)
    }
}

/// A caller whose thread takes part, and inside whose stream others are executed: by its input and by its sink.
#[test]
fn streams_inside_a_stream_do_not_mix() {
    explore(|chooser| {
        let (engine, _) = chooser.engine();
        let (batches, cut) = (chooser.stream(true), chooser.cut());
        let inner = || {
            let mut chooser = Chooser::new();
            let batches = chooser.stream(true);
            check(&mut chooser, &engine, &mut Arena::default(), &batches);
        };
        let mut log = Log::default();
        let input = batches.iter().cloned().inspect(|batch| {
            if batch.len() == 1 {
                inner();
            }
        });
        let sink = Nested { recorder: Recorder::new(&mut log), inner: &inner };
        let (metrics, outcome) =
            engine.call(&Toy::default(), &mut Arena::default(), input, cut, usize::MAX, sink);
        compare(&batches, &log, &metrics, &outcome);
    });
}

/// A stream waits for its input while its consumer executes others, and gets it then.
#[test]
fn a_consumer_may_execute_streams_that_its_own_waits_for() {
    explore(|chooser| {
        let (engine, _) = chooser.engine();
        let (batches, cut) = (chooser.stream(false), chooser.cut());
        let (mut arena, mut log) = (Arena::default(), Log::default());
        let (sender, input) = channel();
        let sink = Recorder::new(&mut log);
        let ((), metrics, outcome) =
            engine.stream(&Toy::default(), &mut arena, input.into_iter(), cut, sink, |_| {
                for batch in &batches {
                    let mut chooser = Chooser::new();
                    let inner = chooser.stream(true);
                    check(&mut chooser, &engine, &mut Arena::default(), &inner);
                    sender.send(batch.clone()).expect("the stream waits");
                }
                drop(sender);
            });
        compare(&batches, &log, &metrics, &outcome);
    });
}

/// Two callers at a time.
#[test]
fn simultaneous_streams_do_not_mix() {
    explore(|chooser| {
        let (engine, _) = chooser.engine();
        shuttle::thread::scope(|scope| {
            for _ in 0..2 {
                let engine = &engine;
                scope.spawn(move || {
                    let mut chooser = Chooser::new();
                    let batches = chooser.stream(true);
                    check(&mut chooser, engine, &mut Arena::default(), &batches);
                });
            }
        });
    });
}
