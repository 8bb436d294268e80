//! Streams that end with their input or with a step that fails.

use crate::explore::{Chooser, check, explore};
use std::sync::{LazyLock, Mutex};
use tandem_stm::{Arena, Metrics};

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

/// Two callers at a time, whose workers share the threads.
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
