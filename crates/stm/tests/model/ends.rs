//! Streams that end early. None may hang, what became final stays right, and the engine serves the next stream.

use crate::explore::{Chooser, Watched, assert_prefix, check, explore, observed};
use crate::toy::harness::Ending;
use crate::toy::oracle::Log;
use crate::toy::{Step, Toy, ToyError, hook};
use std::panic::{AssertUnwindSafe, catch_unwind};
use tandem_stm::{Arena, Engine, StreamError};

/// The stream's end at a panic, of the step at this position if it was one.
fn boom(position: Option<u64>) -> Ending {
    Err(StreamError::Panic { position, message: "boom".to_owned() })
}

fn len(batches: &[Vec<Step>]) -> usize {
    batches.iter().map(Vec::len).sum()
}

/// Whatever happened before, the next stream is executed as if it had not.
fn check_next(chooser: &mut Chooser, engine: &Engine, arena: &mut Arena<crate::toy::vm::Numbers>) {
    let batches = chooser.stream(false);
    check(chooser, engine, arena, &batches);
}

#[test]
fn a_panic_in_a_step_counts_at_its_turn() {
    explore(|chooser| {
        let (engine, window) = chooser.engine();
        let mut arena = Arena::default();
        let mut batches = chooser.stream(false);
        let (at, when) = (chooser.below(len(&batches)), chooser.below(3));
        let step = batches.iter_mut().flatten().nth(at).expect("it is below the length");
        step.ops.insert(0, hook(move |moment| assert!(when == usize::from(moment.speculative), "boom")));
        let input = batches.iter().cloned();
        let toy = Toy { runs: chooser.below(2) == 0, ..Toy::default() };
        let (log, _, outcome) = observed(chooser, &engine, &mut arena, &toy, input, None);
        arena.assert_returned(window);
        assert_prefix(&batches, &log);
        if outcome == Ok(()) {
            assert!(when < 2 && log.outputs.len() == len(&batches));
        } else {
            // Ahead of the turn it is none.
            assert!(when > 0);
            assert_eq!(outcome, boom(Some(at as u64)));
            assert_eq!(log.outputs.len(), at);
        }
        check_next(chooser, &engine, &mut arena);
    });
}

#[test]
fn a_fault_of_the_base_ends_the_stream_at_its_position() {
    explore(|chooser| {
        let (engine, _) = chooser.engine();
        let mut arena = Arena::default();
        let batches = chooser.stream(false);
        let (faulty, runs) = (Some(chooser.below(3) as u8), chooser.below(2) == 0);
        let toy = Toy { faulty, runs, ..Toy::default() };
        let input = batches.iter().cloned();
        let (log, _, outcome) = observed(chooser, &engine, &mut arena, &toy, input, None);
        assert_prefix(&batches, &log);
        let position = log.outputs.len();
        if position == len(&batches) {
            assert_eq!(outcome, Ok(()));
        } else {
            let position = position as u64;
            assert_eq!(outcome, Err(StreamError::Step { position, error: ToyError::Fault }));
        }
        check_next(chooser, &engine, &mut arena);
    });
}

#[test]
fn a_sink_that_refuses_a_step_ends_the_stream_at_its_position() {
    explore(|chooser| {
        let (engine, window) = chooser.engine();
        let mut arena = Arena::default();
        let batches = chooser.stream(false);
        let at = chooser.below(len(&batches));
        let input = batches.iter().cloned();
        let (log, _, outcome) = observed(chooser, &engine, &mut arena, &Toy::default(), input, Some(at));
        arena.assert_returned(window);
        assert_prefix(&batches, &log);
        assert_eq!(log.outputs.len(), at);
        assert_eq!(outcome, Err(StreamError::Step { position: at as u64, error: ToyError::Refused }));
        check_next(chooser, &engine, &mut arena);
    });
}

#[test]
fn a_panic_in_the_input_ends_the_stream_without_skipping_steps() {
    explore(|chooser| {
        let (engine, _) = chooser.engine();
        let mut arena = Arena::default();
        let batches = chooser.stream(false);
        let (at, inside) = (chooser.below(len(&batches)), chooser.below(2) == 1);
        // Either between two batches or inside one.
        let mut seen = 0;
        let input = batches.iter().cloned().map(|batch| {
            let start = seen;
            seen += batch.len();
            let inside = inside || !(start..seen).contains(&at);
            assert!(inside, "boom");
            batch.into_iter().enumerate().map(move |(i, step)| {
                assert!(start + i != at, "boom");
                step
            })
        });
        let (log, _, outcome) = observed(chooser, &engine, &mut arena, &Toy::default(), input, None);
        assert_prefix(&batches, &log);
        assert!(log.outputs.len() <= at);
        assert_eq!(outcome, boom(None));
        check_next(chooser, &engine, &mut arena);
    });
}

fn cancel(chooser: &mut Chooser, memory: usize) {
    let (engine, window) = chooser.small_engine(memory);
    let (mut arena, mut log) = (Arena::default(), Log::default());
    let batches = chooser.stream(false);
    let (cut, count) = (chooser.cut(), chooser.below(len(&batches) + 1));
    let (sink, outputs) = Watched::new(&mut log, None);
    let input = batches.iter().cloned();
    let (taken, metrics, outcome) = engine.stream(&Toy::default(), &mut arena, input, cut, sink, |running| {
        let taken = outputs.iter().take(count).count();
        running.cancel();
        taken + outputs.iter().count()
    });
    arena.assert_returned(window);
    assert_prefix(&batches, &log);
    assert_eq!((outcome, taken), (Ok(()), log.outputs.len()));
    assert_eq!(metrics.steps, taken as u64);
    check_next(chooser, &engine, &mut arena);
}

#[test]
fn cancelling_ends_a_stream_without_error() {
    explore(|chooser| cancel(chooser, usize::MAX));
}

#[test]
fn cancelling_ends_a_stream_of_many_rounds_without_error() {
    explore(|chooser| cancel(chooser, 0));
}

#[test]
fn a_panicking_consumer_ends_the_stream() {
    explore(|chooser| {
        let (engine, _) = chooser.engine();
        let mut log = Log::default();
        let batches = chooser.stream(false);
        let (cut, count) = (chooser.cut(), chooser.below(len(&batches) + 1));
        let (sink, outputs) = Watched::new(&mut log, None);
        let input = batches.iter().cloned();
        let execution = AssertUnwindSafe(|| {
            engine.stream(&Toy::default(), &mut Arena::default(), input, cut, sink, |_| {
                let _ = outputs.iter().take(count).count();
                panic!("boom")
            })
        });
        let panic = catch_unwind(execution).map(|((), _, _)| ()).expect_err("the consumer panics");
        assert_eq!(panic.downcast_ref(), Some(&"boom"));
        assert_prefix(&batches, &log);
        check_next(chooser, &engine, &mut Arena::default());
    });
}
