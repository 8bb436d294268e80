//! The engine against a serial interpreter.

mod toy;

use proptest::collection::vec;
use proptest::prelude::*;
use std::time::Duration;
use tandem_stm::{Cut, Metrics};
use toy::harness::{batches, check, engine, in_time};
use toy::{Op, Step, hook, step, strategy};

fn settings() -> impl Strategy<Value = (usize, usize, Vec<usize>)> {
    let threads = prop_oneof![Just(1_usize), Just(2), Just(4), Just(8)];
    let window = prop_oneof![Just(2_usize), Just(4), Just(64)];
    // The last size is positive, so that cutting comes to an end.
    let sizes = (vec(0..20_usize, 0..5), 1..40_usize).prop_map(|(mut sizes, last)| {
        sizes.push(last);
        sizes
    });
    (threads, window, sizes)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_streams_equal_serial_execution(
        steps in strategy::steps(false, 8, 1..120),
        (threads, window, sizes) in settings(),
    ) {
        in_time(move || {
            let batches = batches(steps, &sizes);
            let engine = engine(threads, window);
            for cut in [Cut::Never, Cut::Batch] {
                let metrics = check(&engine, &batches, cut);
                if threads == 1 {
                    assert_eq!(metrics.frontier_executions, metrics.steps);
                    assert_eq!(metrics.executions, metrics.steps);
                    assert_eq!(metrics.conflicts, 0);
                }
                assert!(metrics.executions >= metrics.steps);
                assert!(metrics.early_reexecutions <= metrics.reexecutions);
                assert!(metrics.repairs <= metrics.conflicts);
            }
        });
    }

    #[test]
    fn random_streams_stop_where_serial_execution_fails(
        steps in strategy::steps(true, 8, 1..120),
        (threads, window, sizes) in settings(),
    ) {
        in_time(move || {
            let batches = batches(steps, &sizes);
            let engine = engine(threads, window);
            for cut in [Cut::Never, Cut::Batch] {
                check(&engine, &batches, cut);
            }
        });
    }
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
