//! Streams of which some steps are left out: rejected at their turn, or skipped by the sink.

use crate::explore::{Chooser, Watched, assert_prefix_by, check, check_by, explore};
use crate::toy::harness::batches;
use crate::toy::oracle::Log;
use crate::toy::{Op, Rules, Step, Toy, step};
use std::sync::{LazyLock, Mutex};
use tandem_stm::{Arena, Metrics};

/// Rules that leave steps out of a stream of a few.
fn rules(chooser: &mut Chooser) -> Rules {
    let limit = (chooser.below(4) > 0).then(|| chooser.below(16) as i64);
    Rules { rejects: chooser.below(4) > 0, limit }
}

#[test]
fn streams_equal_serial_execution_that_leaves_steps_out() {
    static SUM: LazyLock<Mutex<Metrics>> = LazyLock::new(Mutex::default);
    explore(|chooser| {
        let (engine, window) = chooser.engine();
        let mut arena = Arena::default();
        for _ in 0..2 {
            let (rules, batches) = (rules(chooser), chooser.stream(true));
            let metrics = check_by(rules, chooser, &engine, &mut arena, &batches);
            arena.assert_returned(window);
            SUM.lock().expect("nothing panics here").merge(&metrics);
        }
    });
    let sum = SUM.lock().expect("nothing panics here");
    let Metrics { skipped, rejected, repairs, waits, joined, joined_ahead, .. } = *sum;
    assert!(
        [skipped, rejected, repairs, waits, joined, joined_ahead].iter().all(|count| *count > 0),
        "{sum:#?}"
    );
}

/// First steps that conflict, so that effects on their keys are published from then on. Then writers, one of which is skipped, in whatever
/// run it is. Then readers of all their keys.
fn readers_behind_a_skipped_step() -> (Rules, Vec<Step>) {
    let counts = |key| step([Op::Read(key), Op::Write(key, 1)]);
    let costly = Op::Read(4);
    let steps = vec![
        counts(0),
        counts(1),
        counts(0),
        counts(1),
        step([
            costly.clone(),
            costly.clone(),
            costly.clone(),
            costly.clone(),
            costly,
            Op::Write(0, 9),
            Op::Write(1, 9),
        ]),
        step([Op::Read(0), Op::Write(1, 1)]),
        step([Op::Read(1), Op::Add(0, 1)]),
        step([Op::Read(0), Op::Read(1)]),
    ];
    // A read costs 4 at most.
    (Rules { rejects: false, limit: Some(8 + 8 * 4 + 4) }, steps)
}

#[test]
fn readers_ahead_see_that_a_step_of_a_run_is_skipped() {
    static SUM: LazyLock<Mutex<Metrics>> = LazyLock::new(Mutex::default);
    explore(|chooser| {
        let (engine, window) = chooser.engine();
        let mut arena = Arena::default();
        let (rules, steps) = readers_behind_a_skipped_step();
        let metrics = check_by(rules, chooser, &engine, &mut arena, &batches(steps, &[8]));
        arena.assert_returned(window);
        assert_eq!(metrics.skipped, 1);
        SUM.lock().expect("nothing panics here").merge(&metrics);
    });
    let sum = SUM.lock().expect("nothing panics here");
    assert!(sum.waits > 0 && sum.joined_ahead > 0 && sum.runs_ahead[1] > 0, "{sum:#?}");
}

#[test]
fn a_stream_that_leaves_steps_out_can_be_cancelled() {
    explore(|chooser| {
        let (engine, window) = chooser.engine();
        let (mut arena, mut log) = (Arena::default(), Log::default());
        let (rules, batches) = (Rules { rejects: true, ..rules(chooser) }, chooser.stream(true));
        let toy = Toy { rules, runs: chooser.below(2) == 0, ..Toy::default() };
        let len = batches.iter().map(Vec::len).sum::<usize>();
        let (cut, count) = (chooser.cut(), chooser.below(len + 1));
        let (sink, outputs) = Watched::by(rules, &mut log, None);
        let input = batches.iter().cloned();
        let (taken, metrics, ending) = engine.stream(&toy, &mut arena, input, cut, sink, |running| {
            let taken = outputs.iter().take(count).count();
            running.cancel();
            taken + outputs.iter().count()
        });
        arena.assert_returned(window);
        assert_prefix_by(rules, &batches, &log);
        assert_eq!((ending, taken), (Ok(()), log.outputs.len()));
        assert_eq!(metrics.steps, taken as u64);
        let batches = chooser.stream(false);
        check(chooser, &engine, &mut arena, &batches);
    });
}
