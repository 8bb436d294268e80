//! Repeats one stream with many conflicts, in short runs and in long ones: always one result, no hang.

use crate::toy::harness::{batches, check, check_by, engine, held_until, in_time, longest_ahead, setting};
use crate::toy::{Op, Rules, Step, hook, step};
use std::time::Duration;
use tandem_stm::{Cut, Metrics};

const STEPS: u64 = 200;
const WINDOW: usize = 256;

/// Steps of every kind over three numbers and two owners; almost every one depends on the one before.
fn steps() -> Vec<Step> {
    let pause = || hook(|_| std::thread::sleep(Duration::from_micros(10)));
    (0..STEPS)
        .map(|i| {
            let (key, owner, slot) = ((i % 3) as u8, (i / 7 % 2) as u8, (i % 2) as u8);
            let next = (key + 1) % 3;
            match i % 13 {
                0 | 5 => step([Op::Read(key), pause(), Op::Write(next, 1)]),
                1 => step([Op::Require(key, 20), Op::Add(key, -7), Op::Add(next, 7)]),
                2 => step([Op::Sweep(key, next)]),
                3 => step([Op::Create(owner), Op::WriteSlot(owner, slot, 5), Op::Add(key, 3)]),
                4 => step([Op::ReadSlot(owner, slot), Op::AddAcc(key, 1), Op::WriteSlot(1 - owner, slot, 1)]),
                6 => step([Op::Wipe(owner), Op::ReadSlot(owner, slot), Op::Write(key, 30)]),
                7 => step([pause(), Op::Demand(next, -1_000_000), Op::Add(next, -1)]),
                8 => step([Op::Read(0), Op::Read(1), Op::Read(2), Op::AddAcc(key, -1)]),
                9 | 10 => step([Op::ReadSlot(owner, 0), pause(), Op::WriteSlot(owner, 0, 1)]),
                11 => step([Op::ReadSlot(owner, 0), Op::Require(next, 40), Op::Write(key, 2)]),
                _ => step([Op::Add(0, 1), Op::Add(1, 1), Op::Add(2, 1)]),
            }
        })
        .collect()
}

/// The same without pauses, behind as many cheap steps as a window holds: in runs as long as they may be.
fn long_runs() -> Vec<Step> {
    let cheap = |i: usize| step([Op::Read((10 + i % 100) as u8), Op::Add(5, 1)]);
    let steps = steps().into_iter().map(|mut step| {
        step.ops.retain(|op| !matches!(op, Op::Hook(_)));
        step
    });
    (0..WINDOW).map(cheap).chain(steps).collect()
}

#[test]
fn one_stream_has_one_result() {
    const AT_A_TIME: usize = 100;
    // `TANDEM_TIMES` asks for so many times as many.
    let rounds = 300 * setting("TANDEM_TIMES", 1) as usize;
    let mut sum = Metrics::default();
    let mut long = Metrics::default();
    for _ in 0..rounds / AT_A_TIME {
        let metrics = in_time(|| {
            let (engine, batches) = (engine(8, 64), batches(steps(), &[50, 1, 17]));
            let mut sum = Metrics::default();
            (0..AT_A_TIME).for_each(|_| sum.merge(&check(&engine, &batches, Cut::Never)));
            sum
        });
        sum.merge(&metrics);
        let metrics = in_time(|| {
            let mut sum = Metrics::default();
            for threads in [1, 2, 4] {
                let engine = engine(threads, WINDOW);
                for _ in 0..AT_A_TIME / 10 {
                    let make = || {
                        // A single thread never executes ahead.
                        let held =
                            if threads > 1 { held_until(long_runs(), WINDOW - 1) } else { long_runs() };
                        batches(held, &[1_000])
                    };
                    sum.merge(&check_by(Rules::default(), &engine, make, Cut::Never));
                }
            }
            sum
        });
        long.merge(&metrics);
    }
    println!("{sum:#?}\n{long:#?}");
    // Step by step, and in runs.
    assert_eq!(sum.steps, 2 * rounds as u64 * STEPS);
    assert!(sum.conflicts > rounds as u64 && sum.repairs > 0, "too little to conflict about");
    assert!(sum.joined_ahead > 0 && sum.runs_ahead[1] > 0, "no short runs ahead");
    assert!(long.conflicts > 0 && long.runs_ahead[longest_ahead()] > 0, "no long runs ahead");
    assert!(long.runs_at_frontier[6] > 0, "no runs of 64 steps at the frontier");
}
