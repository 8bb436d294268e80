//! The engine against a serial interpreter.

use crate::toy::harness::{
    batches, check, check_by, engine, held_until, in_time, longest_ahead, setting, small_engine,
};
use crate::toy::{Op, Rules, Step, hook, step, strategy};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};
use std::cell::RefCell;
use std::time::Duration;
use tandem_stm::{Cut, Metrics};

/// Steps, and how they are executed: threads, window, memory, sizes of batches; until which step is executed ahead the first one waits; and
/// which are left out.
type Case = (Vec<Step>, (usize, usize, usize, Vec<usize>), Option<usize>, Rules);

fn settings() -> impl Strategy<Value = (usize, usize, usize, Vec<usize>)> {
    let threads = prop_oneof![Just(1_usize), Just(2), Just(4), Just(8)];
    let window = prop_oneof![Just(2_usize), Just(4), Just(64), Just(256)];
    let memory = prop_oneof![Just(usize::MAX), Just(0), Just(10_000)];
    // The last size is positive, so that cutting comes to an end.
    let sizes =
        (vec(0..20_usize, 0..5), prop_oneof![1..40_usize, Just(1_000)]).prop_map(|(mut sizes, last)| {
            sizes.push(last);
            sizes
        });
    (threads, window, memory, sizes)
}

/// Few steps over few keys. `strict` lets some of them fail.
fn short(strict: bool) -> impl Strategy<Value = Case> {
    (strategy::steps(strict, 8, 1..120), settings(), Just(None), Just(Rules::default()))
}

/// Rules that leave steps out: those that fail, and those that cost too much.
fn leaving_out() -> impl Strategy<Value = Rules> {
    let limit = prop_oneof![Just(None), (0..80_i64).prop_map(Some), (0..2_000_i64).prop_map(Some)];
    (any::<bool>(), limit).prop_map(|(rejects, limit)| Rules { rejects, limit })
}

/// The same steps, by such rules.
fn by_rules(case: impl Strategy<Value = Case>) -> impl Strategy<Value = Case> {
    (case, leaving_out()).prop_map(|((steps, settings, held, _), rules)| (steps, settings, held, rules))
}

/// Many cheap steps over many keys in one batch, so that runs come to be as long as they may be. Where there is more than one thread, the
/// first step waits until most of a window has been executed ahead.
fn long(strict: bool) -> impl Strategy<Value = Case> {
    let threads = prop_oneof![Just(1_usize), Just(2), Just(4)];
    let settings = (threads, Just(256), Just(usize::MAX), Just(vec![1_000]));
    (vec(strategy::program(199, strict), 300..500), settings).prop_map(|(mut steps, settings)| {
        for step in &mut steps {
            step.ops.retain(|op| !matches!(op, Op::Spin(_) | Op::Class(_)));
        }
        let held = (settings.0 > 1).then_some(240);
        (steps, settings, held, Rules::default())
    })
}

/// Executes a case in every way, and compares with serial execution.
fn check_case((steps, (threads, window, memory, sizes), held, rules): Case) -> Metrics {
    in_time(move || {
        let make = || match held {
            Some(open) => batches(held_until(steps.clone(), open), &sizes),
            None => batches(steps.clone(), &sizes),
        };
        let engine = small_engine(threads, window, memory);
        let mut sum = Metrics::default();
        for cut in [Cut::Never, Cut::Batch] {
            let metrics = check_by(rules, &engine, make, cut);
            if threads == 1 {
                assert_eq!(metrics.frontier_executions, metrics.executions);
                assert_eq!((metrics.conflicts, metrics.blocked), (0, 0));
            }
            assert!(metrics.executions >= metrics.steps);
            assert!(metrics.early_reexecutions <= metrics.reexecutions);
            assert!(metrics.repairs <= metrics.conflicts);
            sum.merge(&metrics);
        }
        sum
    })
}

/// Tries random cases, the same ones each time. `TANDEM_SEED` leads to others, `TANDEM_TIMES` to so many times as many.
fn check_cases(cases: u32, seed: u64, strategy: &impl Strategy<Value = Case>) -> Metrics {
    let (cases, seed) = (cases * setting("TANDEM_TIMES", 1) as u32, setting("TANDEM_SEED", 0) ^ seed);
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
    let sum = RefCell::new(Metrics::default());
    let result = runner.run(strategy, |case| {
        sum.borrow_mut().merge(&check_case(case));
        Ok(())
    });
    if let Err(error) = result {
        panic!("seed {seed}: {error}");
    }
    sum.into_inner()
}

#[test]
fn random_streams_equal_serial_execution() {
    let metrics = check_cases(300, 1, &short(false));
    assert!(metrics.conflicts > 0 && metrics.repairs > 0 && metrics.joined_ahead > 0, "{metrics:?}");
    assert!(metrics.retirements > 1_000, "{metrics:?}");
}

#[test]
fn random_streams_stop_where_serial_execution_fails() {
    let metrics = check_cases(300, 2, &short(true));
    assert!(metrics.blocked > 0 && metrics.conflicts > 0, "{metrics:?}");
}

/// Runs of every length up to the longest became final.
fn assert_all_lengths(metrics: &Metrics) {
    assert!(metrics.runs_ahead[..=longest_ahead()].iter().all(|count| *count > 0), "{metrics:?}");
    assert!(metrics.runs_at_frontier.iter().all(|count| *count > 0), "{metrics:?}");
}

#[test]
fn random_streams_in_runs_of_all_lengths_equal_serial_execution() {
    let metrics = check_cases(60, 3, &long(false));
    assert_all_lengths(&metrics);
    assert!(metrics.conflicts > 0, "{metrics:?}");
}

#[test]
fn random_streams_equal_serial_execution_that_leaves_steps_out() {
    let metrics = check_cases(300, 4, &by_rules(short(true)));
    assert!(metrics.skipped > 0 && metrics.rejected > 0 && metrics.joined_ahead > 0, "{metrics:?}");
    assert!(metrics.conflicts > 0 && metrics.repairs > 0, "{metrics:?}");
}

#[test]
fn random_streams_in_long_runs_equal_serial_execution_that_leaves_steps_out() {
    let metrics = check_cases(60, 5, &by_rules(long(true)));
    assert_all_lengths(&metrics);
    assert!(metrics.skipped > 0 && metrics.rejected > 0 && metrics.conflicts > 0, "{metrics:?}");
}

/// Runs the same steps many times on 8 threads and adds up the counters.
fn stress(steps: Vec<Step>, rounds: usize) -> Metrics {
    in_time(move || {
        let batches = batches(steps, &[100, 1, 37]);
        let engine = engine(8, 64);
        let mut sum = Metrics::default();
        for round in 0..rounds {
            let cut = if round % 4 == 3 { Cut::Batch } else { Cut::Never };
            sum.merge(&check(&engine, &batches, cut));
        }
        sum
    })
}

/// Lets other threads run, even on a single processor.
fn nap() -> Op {
    hook(|_| std::thread::sleep(Duration::from_micros(20)))
}

/// A cheap source of small pseudo-random numbers.
fn pick(i: u64, below: u64) -> u8 {
    ((i.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) % below) as u8
}

#[test]
fn increments_of_one_number_are_all_counted() {
    let steps = (0..2_000_u64).map(|i| {
        let pause = if pick(i, 32) == 0 { nap() } else { Op::Spin(0) };
        step([Op::Read(0), pause, Op::Write(0, 1)])
    });
    let metrics = stress(steps.collect(), 20);
    assert!(metrics.conflicts > 0, "{metrics:?}");
    assert!(metrics.conflicts_by_kind[0] > 0 && metrics.conflicts_by_kind[1..] == [0, 0], "{metrics:?}");
}

#[test]
fn blind_deltas_to_one_number_never_conflict() {
    let steps = (0..2_000_u64).map(|i| step([Op::Add(0, i64::from(pick(i, 50))), Op::Spin(1)]));
    let metrics = stress(steps.collect(), 5);
    assert_eq!(metrics.conflicts, 0, "{metrics:?}");
}

#[test]
fn funds_checks_tolerate_moving_balances() {
    let steps = (0..1_000_u64).map(|i| {
        let (from, to) = (pick(i, 3), pick(i + 7, 3));
        step([nap(), Op::Add(from, 2), Op::Require(from, 1), Op::Add(from, -1), Op::Add(to, 1)])
    });
    let metrics = stress(steps.collect(), 10);
    assert!(metrics.moved > 0, "{metrics:?}");
    assert_eq!(metrics.conflicts, 0, "{metrics:?}");
}

#[test]
fn funds_that_come_and_go_are_checked_at_the_turn() {
    let steps = (0..1_000_u64).map(|i| {
        let (from, to, n) = (pick(i, 4), pick(i + 7, 4), i64::from(pick(i + 3, 60)));
        step([Op::Require(from, n), nap(), Op::Add(from, -n), Op::Add(to, n), Op::Add(from, 0)])
    });
    let metrics = stress(steps.collect(), 10);
    assert!(metrics.conflicts > 0, "{metrics:?}");
}

#[test]
fn sweeps_are_repaired() {
    let steps = (0..1_000_u64).map(|i| match pick(i, 4) {
        0 => step([Op::Add(pick(i, 3), 5), nap()]),
        1 => step([Op::Read(pick(i, 3)), Op::Write(2, 1), nap()]),
        _ => step([Op::Sweep(pick(i, 3), pick(i + 1, 3))]),
    });
    let metrics = stress(steps.collect(), 20);
    assert!(metrics.repairs > 0, "{metrics:?}");
    assert!(metrics.repairs <= metrics.conflicts, "{metrics:?}");
}

#[test]
fn wiped_slots_read_as_zero() {
    let steps = (0..1_000_u64).map(|i| {
        let (owner, slot) = (pick(i, 2), pick(i + 5, 3));
        match pick(i, 5) {
            0 => step([Op::Wipe(owner), Op::ReadSlot(owner, slot)]),
            1 => step([Op::WriteSlot(owner, slot, 1), nap(), Op::Wipe(owner), Op::WriteSlot(owner, 0, 9)]),
            2 => step([Op::ReadSlot(1 - owner, slot), nap(), Op::WriteSlot(owner, slot, 1)]),
            _ => step([Op::ReadSlot(owner, slot), Op::Spin(1), Op::WriteSlot(owner, slot, 3)]),
        }
    });
    let metrics = stress(steps.collect(), 20);
    assert!(metrics.conflicts_by_kind[1] > 0 && metrics.conflicts_by_kind[2] > 0, "{metrics:?}");
}
