//! One conflict-heavy stream again and again: one result, no hang.

mod toy;

use std::time::Duration;
use tandem_stm::{Cut, Metrics};
use toy::harness::{batches, check, engine, in_time};
use toy::{Op, Step, hook, step};

const STEPS: u64 = 200;

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

fn soak(rounds: usize) {
    const AT_A_TIME: usize = 100;
    let mut sum = Metrics::default();
    for _ in 0..rounds / AT_A_TIME {
        sum.merge(&in_time(|| {
            let (engine, batches) = (engine(8, 64), batches(steps(), &[50, 1, 17]));
            let mut sum = Metrics::default();
            (0..AT_A_TIME).for_each(|_| sum.merge(&check(&engine, &batches, Cut::Never)));
            sum
        }));
    }
    println!("{sum:#?}");
    // Step by step, and in runs.
    assert_eq!(sum.steps, 2 * rounds as u64 * STEPS);
    assert!(sum.conflicts > rounds as u64 && sum.repairs > 0, "too little to conflict about");
}

#[test]
fn one_stream_has_one_result() {
    soak(300);
}

#[test]
#[ignore = "takes a minute"]
fn one_stream_has_one_result_ten_thousand_times() {
    soak(10_000);
}
