//! Every rung of the conflict ladder, forced by gates inside the steps.
//!
//! With two threads, one holds the step at the frontier back while the other executes the steps behind it in order; the
//! last of these lets the first go on. So the steps in between have read values that are stale and known.

use crate::toy::harness::{Closure, Ending, Gate, batches, check, engine, in_time};
use crate::toy::oracle::serial;
use crate::toy::{Key, Op, Step, Toy, ToyError, hook, step};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;
use tandem_stm::{Arena, Cut, History, Metrics, StreamError};

type Final = Vec<(Vec<i64>, History)>;

/// Executes one batch and gives everything that became final.
fn execute(threads: usize, toy: &Toy, steps: Vec<Step>) -> (Final, Metrics, Ending) {
    let mut log = Vec::new();
    let sink = Closure::new(|_, output, history| {
        log.push((output, history));
        Ok(())
    });
    let ((), metrics, outcome) = engine(threads, 64).stream(
        toy,
        &mut Arena::default(),
        std::iter::once(steps),
        Cut::Never,
        sink,
        |_| (),
    );
    (log, metrics, outcome)
}

/// Executes `early` on the base state, and then commits `first` before it.
fn behind(toy: Toy, first: Op, early: impl Into<Vec<Op>>) -> (Final, Metrics, Ending) {
    let early = early.into();
    in_time(move || {
        let gate = Gate::default();
        execute(2, &toy, vec![step([gate.waiting(), first]), step(early), step([gate.opening()])])
    })
}

fn once() -> History {
    History { executions: 1, ..History::default() }
}

#[test]
fn a_write_of_the_old_value_is_no_conflict() {
    let (log, metrics, outcome) = behind(Toy::default(), Op::Write(0, Key::Number(0).base()), [Op::Read(0)]);
    assert_eq!(outcome, Ok(()));
    assert_eq!(log[1], (vec![40], once()));
    assert_eq!((metrics.executions, metrics.conflicts, metrics.moved), (3, 0, 0));
}

#[test]
fn a_balance_that_moves_above_the_bound_is_no_conflict() {
    let (log, metrics, outcome) =
        behind(Toy::default(), Op::Add(0, -30), [Op::Require(0, 10), Op::Add(0, -10), Op::Read(1)]);
    assert_eq!(outcome, Ok(()));
    assert_eq!(log[1], (vec![41], once()));
    assert_eq!((metrics.executions, metrics.conflicts, metrics.moved), (3, 0, 1));
}

#[test]
fn a_balance_that_falls_below_the_bound_is_a_conflict() {
    let (log, metrics, outcome) =
        behind(Toy::default(), Op::Add(0, -31), [Op::Require(0, 10), Op::Add(0, -10), Op::Read(1)]);
    assert_eq!(outcome, Ok(()));
    assert_eq!(log[1], (vec![-1], History { executions: 2, conflicts: 1, ..once() }));
    assert_eq!((metrics.executions, metrics.conflicts, metrics.moved), (4, 1, 0));
    assert_eq!((metrics.reexecutions, metrics.early_reexecutions), (1, 0));
    assert_eq!(metrics.conflicts_by_kind, [1, 0, 0]);
}

#[test]
fn a_check_that_failed_is_a_conflict_once_funds_arrive() {
    let (log, metrics, outcome) = behind(Toy::default(), Op::Add(0, 1), [Op::Require(0, 41), Op::Read(0)]);
    assert_eq!(outcome, Ok(()));
    assert_eq!(log[1], (vec![41], History { executions: 2, conflicts: 1, ..once() }));
    assert_eq!(metrics.conflicts, 1);
}

#[test]
fn a_failure_that_exists_only_under_speculation_is_no_error() {
    let (log, metrics, outcome) = behind(Toy::default(), Op::Add(0, 1), [Op::Demand(0, 41), Op::Read(0)]);
    assert_eq!(outcome, Ok(()));
    assert_eq!(log[1].0, [41]);
    assert_eq!((metrics.blocked, metrics.executions), (1, 4));
}

#[test]
fn a_failure_that_speculation_misses_is_an_error() {
    let (log, _, outcome) = behind(Toy::default(), Op::Add(0, -1), [Op::Demand(0, 40)]);
    assert_eq!(outcome, Err(StreamError::Step { position: 1, error: ToyError::Funds(0) }));
    assert_eq!(log.len(), 1);
}

#[test]
fn a_fault_that_exists_only_under_speculation_is_no_error() {
    let toy = Toy { faulty: Some(3), ..Toy::default() };
    let (log, metrics, outcome) = behind(toy, Op::Write(0, 0), [Op::Require(0, 10), Op::Read(3)]);
    assert_eq!(outcome, Ok(()));
    assert_eq!(log[1].0, [-1]);
    assert_eq!(metrics.blocked, 1);
}

#[test]
fn a_panic_that_exists_only_under_speculation_is_no_error() {
    for toy in [Toy::default(), Toy { panics: Some(3), ..Toy::default() }] {
        let panic = hook(|moment| assert!(!moment.speculative, "boom"));
        let ops = if toy.panics.is_some() { [Op::Require(0, 10), Op::Read(3)] } else { [Op::Read(0), panic] };
        let expected = if toy.panics.is_some() { -1 } else { 0 };
        let (log, metrics, outcome) = behind(toy, Op::Write(0, 0), ops);
        assert_eq!(outcome, Ok(()));
        assert_eq!(log[1], (vec![expected], History { executions: 2, ..History::default() }));
        assert_eq!((metrics.blocked, metrics.executions, metrics.conflicts), (1, 4, 0));
    }
}

#[test]
fn nothing_of_a_step_that_failed_is_its_runs() {
    let panic = hook(|moment| assert!(!moment.speculative, "boom"));
    for failing in [Op::Spin(0), Op::Write(6, 1), Op::Pay(6, 1), Op::Sweep(2, 6), panic] {
        in_time(move || {
            let gate = Gate::default();
            let mut steps = vec![step([gate.waiting(), Op::Add(2, 2), Op::Add(3, 5)])];
            // Cheap ones first, until a worker claims many at once.
            steps.extend((0..20).map(|_| step([Op::Read(4)])));
            // Each sweep shares its run with a step that fails ahead of its turn, before its funds are there.
            for from in 10..30 {
                steps.push(step([Op::Sweep(from, 1)]));
                steps.push(step([failing.clone(), Op::Read(2), Op::Demand(3, 45), Op::Add(5, 1)]));
            }
            steps.push(step([gate.opening()]));
            let (expected, _) = serial(std::slice::from_ref(&steps));
            let toy = Toy { runs: true, ..Toy::default() };
            let (log, metrics, outcome) = execute(2, &toy, steps);
            assert_eq!(outcome, Ok(()));
            assert!(log.iter().map(|(output, _)| output).eq(&expected.outputs), "{failing:?}");
            assert!(log[21..].iter().step_by(2).all(|(_, history)| history.conflicts == 0), "{failing:?}");
            assert!(metrics.blocked >= 20 && metrics.joined_ahead > 0, "{metrics:?}");
        });
    }
}

#[test]
fn a_sweep_is_repaired_without_being_executed_again() {
    let (log, metrics, outcome) = behind(Toy::default(), Op::Add(0, 2), [Op::Sweep(0, 1)]);
    assert_eq!(outcome, Ok(()));
    assert_eq!(log[1], (vec![42], History { conflicts: 1, repaired: true, ..once() }));
    assert_eq!((metrics.executions, metrics.conflicts, metrics.repairs), (3, 1, 1));
}

/// Executes `early` with number 0 untouched, commits it with number 0 at zero, and only then reads number 1 at a later
/// step under speculation. Gives the output of `early` and the counters.
fn read_after(early: impl Into<Vec<Op>>) -> (Vec<i64>, Metrics) {
    let early = early.into();
    in_time(move || {
        let (first, second) = (Gate::default(), Gate::default());
        let write = vec![step([first.waiting(), Op::Write(0, 0)]), step(early), step([first.opening()])];
        let read = vec![step([second.waiting()]), step([Op::Read(1)]), step([second.opening()])];
        let (batches, input) = mpsc::channel();
        let (sender, outputs) = mpsc::channel();
        let sink = Closure::new(move |_, output, _| sender.send(output).map_err(|_| ToyError::Refused));
        // One of the workers may wait inside the input.
        let (log, metrics, outcome) = engine(3, 64).stream(
            &Toy::default(),
            &mut Arena::default(),
            input.into_iter(),
            Cut::Never,
            sink,
            move |_| {
                batches.send(write).expect("the workers listen");
                let mut log: Vec<Vec<i64>> = outputs.iter().take(3).collect();
                batches.send(read).expect("the workers listen");
                drop(batches);
                log.extend(outputs.iter());
                log
            },
        );
        assert_eq!(outcome, Ok(()));
        assert_eq!((log.len(), &log[4]), (6, &vec![41]));
        (log[1].clone(), metrics)
    })
}

#[test]
fn effects_that_a_repair_removes_are_forgotten() {
    let (output, metrics) = read_after([Op::Sweep(0, 1)]);
    assert_eq!((output, metrics.repairs), (vec![0], 1));
    assert_eq!(metrics.conflicts, 1, "the reader saw an effect of a final step that has none");
}

#[test]
fn effects_that_a_reexecution_leaves_out_are_forgotten() {
    let (output, metrics) = read_after([Op::Require(0, 10), Op::Add(1, 5)]);
    assert_eq!((output, metrics.repairs), (vec![-1], 0));
    assert_eq!(metrics.conflicts, 1, "the reader saw an effect of a final step that has none");
}

#[test]
fn an_idle_worker_reexecutes_an_invalid_result_early() {
    let (log, metrics, outcome) = in_time(|| {
        let (behind, reexecuted) = (Gate::default(), Gate::default());
        let executions = AtomicUsize::new(0);
        let reader = {
            let reexecuted = reexecuted.clone();
            hook(move |_| {
                if executions.fetch_add(1, Ordering::SeqCst) == 1 {
                    reexecuted.open();
                }
            })
        };
        let steps = vec![
            step([behind.waiting(), Op::Add(0, 2)]),
            step([reexecuted.waiting()]),
            step([Op::Read(0), reader]),
            step([behind.opening()]),
        ];
        execute(3, &Toy::default(), steps)
    });
    assert_eq!(outcome, Ok(()));
    assert_eq!(log[2], (vec![42], History { executions: 2, conflicts: 1, ..once() }));
    assert_eq!((metrics.conflicts, metrics.early_reexecutions, metrics.reexecutions), (1, 1, 1));
}

#[test]
fn a_reader_waits_for_a_writer_that_is_executed_again() {
    let (log, metrics, outcome) = in_time(|| {
        let (reading, reexecuting) = (Gate::default(), Gate::default());
        let executions = Arc::new(AtomicUsize::new(0));
        let writer = {
            let reexecuting = reexecuting.clone();
            hook(move |_| {
                if executions.fetch_add(1, Ordering::SeqCst) == 1 {
                    reexecuting.open();
                    std::thread::sleep(Duration::from_millis(200));
                }
            })
        };
        let steps = vec![
            step([reading.waiting(), Op::Add(0, 2)]),
            step([Op::Read(0), writer, Op::Write(1, 0)]),
            step([reading.opening(), reexecuting.waiting(), Op::Read(1)]),
        ];
        execute(2, &Toy::default(), steps)
    });
    assert_eq!(outcome, Ok(()));
    assert_eq!(log[2], (vec![42], once()));
    assert_eq!((metrics.waits, metrics.conflicts, metrics.executions), (1, 1, 4));
    assert!(metrics.idle_time >= Duration::from_millis(100), "{metrics:?}");
}

#[test]
fn one_thread_executes_everything_once_at_the_frontier() {
    let steps = (0..200).map(|i| step([Op::Read(i % 3), Op::Write((i + 1) % 3, 1), Op::Require(2, 50)]));
    let metrics = check(&engine(1, 64), &batches(steps.collect(), &[50]), Cut::Never);
    assert_eq!((metrics.frontier_executions, metrics.executions), (400, 400));
    assert_eq!((metrics.conflicts, metrics.reexecutions, metrics.blocked, metrics.waits), (0, 0, 0, 0));
}
