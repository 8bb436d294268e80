//! Counters that are read while a stream runs.

use crate::toy::harness::{Closure, engine, in_time, small_engine};
use crate::toy::{Op, Step, Toy, ToyError, step};
use std::sync::mpsc;
use std::time::Duration;
use tandem_stm::{Arena, Config, Cut, Engine, Metrics, StreamHandle};

/// Steps of which some conflict.
fn steps(n: u64) -> Vec<Step> {
    (0..n).map(|i| step([Op::Read((i % 3) as u8), Op::Spin(2), Op::Write((i % 5) as u8, 1)])).collect()
}

/// Reads the counters, none of which is less than it was.
fn read(running: &StreamHandle<'_, Toy>, last: &mut Metrics) {
    let now = running.metrics();
    let counters = |metrics: &Metrics| {
        let Metrics { steps, executions, frontier_executions, reexecutions, conflicts, joined, .. } =
            *metrics;
        let times = metrics.execute_time + metrics.commit_time + metrics.idle_time;
        [steps, executions, frontier_executions, reexecutions, conflicts, joined, times.as_nanos() as u64]
    };
    let (before, after) = (counters(last), counters(&now));
    assert!(before.iter().zip(&after).all(|(before, after)| before <= after), "{before:?}, then {after:?}");
    *last = now;
}

/// Feeds batches one after the other, and reads the counters until all of each are counted.
fn watch(engine: &Engine, runs: bool) {
    let toy = Toy { runs, ..Toy::default() };
    let (input, batches) = mpsc::channel();
    let (sender, outputs) = mpsc::channel();
    let sink = Closure::new(move |_, output, _| sender.send(output).map_err(|_| ToyError::Refused));
    let (last, metrics, ending) =
        engine.stream(&toy, &mut Arena::default(), batches.into_iter(), Cut::Never, sink, |running| {
            let mut last = Metrics::default();
            for sum in (1..=10).map(|batch| batch * 70) {
                input.send(steps(70)).expect("the workers listen");
                while last.steps < sum {
                    read(&running, &mut last);
                    std::thread::sleep(Duration::from_micros(10));
                }
            }
            drop(input);
            assert_eq!(outputs.iter().count(), 700);
            read(&running, &mut last);
            last
        });
    assert_eq!(ending, Ok(()));
    assert_eq!(metrics.steps, 700);
    assert_eq!(last, metrics, "what is told at the end is what is returned");
}

#[test]
fn counters_rise_while_a_stream_runs() {
    in_time(|| {
        for (threads, runs) in [(1, false), (1, true), (2, false), (4, true)] {
            watch(&engine(threads, 64), runs);
            watch(&small_engine(threads, 64, 0), runs);
        }
    });
}

#[test]
fn counters_come_with_times_and_at_the_end_with_timelines() {
    in_time(|| {
        let config = Config::default().threads(2).window(64).timelines(true);
        watch(&Engine::new(&config).expect("sensible settings"), true);
    });
}
