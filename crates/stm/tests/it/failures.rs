//! Streams that end before their input does. None may hang, and the engine must serve the next stream.

use crate::toy::harness::{Closure, Ending, Recorder, batches, check, engine, execute, in_time};
use crate::toy::oracle::{Log, serial};
use crate::toy::{Op, Rules, Step, Toy, ToyError, hook, step};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::time::Duration;
use tandem_stm::{Admission, Arena, Changes, Cut, Engine, History, Sink, StreamError};

/// Increments of a few numbers, each read first.
fn increments(n: u64) -> Vec<Step> {
    (0..n).map(|i| step([Op::Read((i % 3) as u8), Op::Spin(2), Op::Write((i % 3) as u8, 1)])).collect()
}

fn healthy() -> Vec<Vec<Step>> {
    batches(increments(200), &[30, 7])
}

/// Calls `code` with engines of several sizes; afterwards each must still execute a stream.
fn on_each_engine(code: impl Fn(&Engine) + Send + 'static) {
    in_time(move || {
        for (threads, window) in [(1, 64), (2, 2), (4, 64), (8, 16)] {
            let engine = engine(threads, window);
            for _ in 0..3 {
                code(&engine);
                check(&engine, &healthy(), Cut::Never);
            }
        }
    });
}

/// The steps of [`healthy`], with one replaced.
fn with(position: usize, op: Op) -> Vec<Vec<Step>> {
    let mut steps = increments(200);
    steps[position].ops.push(op);
    batches(steps, &[30, 7])
}

fn assert_prefix(log: &Log, len: std::ops::RangeInclusive<usize>) {
    let (expected, _) = serial(&healthy());
    assert!(len.contains(&log.outputs.len()), "{} steps are final", log.outputs.len());
    assert_eq!(log.outputs, expected.outputs[..log.outputs.len()]);
}

/// The stream's end at a panic, of the step at this position if it was one.
fn boom(position: Option<u64>) -> Ending {
    Err(StreamError::Panic { position, message: "boom".to_owned() })
}

#[test]
fn a_failing_step_ends_the_stream_at_its_position() {
    on_each_engine(|engine| {
        let batches = with(100, Op::Demand(0, 1_000_000));
        let (log, metrics, outcome) = execute(engine, &Toy::default(), batches, Cut::Never);
        assert_eq!(outcome, Err(StreamError::Step { position: 100, error: ToyError::Funds(0) }));
        assert_prefix(&log, 100..=100);
        assert_eq!(metrics.steps, 100);
    });
}

#[test]
fn only_errors_of_steps_are_rejected() {
    on_each_machine(|engine, toy| {
        let rules = Rules { rejects: true, limit: None };
        let toy = || Toy { rules, runs: toy.runs, ..Toy::default() };
        let position = 100;
        for (toy, op, ending) in [
            (toy(), hook(|_| panic!("boom")), boom(Some(position))),
            (Toy { panics_rejecting: true, ..toy() }, Op::Demand(0, 1_000_000), boom(Some(position))),
            (
                Toy { faulty: Some(9), ..toy() },
                Op::Read(9),
                Err(StreamError::Step { position, error: ToyError::Fault }),
            ),
        ] {
            let (log, metrics, outcome) = execute(engine, &toy, with(100, op), Cut::Never);
            assert_eq!(outcome, ending);
            assert_prefix(&log, 100..=100);
            assert_eq!((metrics.steps, metrics.rejected), (100, 0));
        }
    });
}

#[test]
fn a_fault_of_the_base_ends_the_stream_at_its_position() {
    on_each_engine(|engine| {
        let toy = Toy { faulty: Some(9), ..Toy::default() };
        let (log, _, outcome) = execute(engine, &toy, with(100, Op::Read(9)), Cut::Never);
        assert_eq!(outcome, Err(StreamError::Step { position: 100, error: ToyError::Fault }));
        assert_prefix(&log, 100..=100);
    });
}

/// Calls `code` with engines of several sizes and machines that execute step by step and in runs.
fn on_each_machine(code: impl Fn(&Engine, Toy) + Send + 'static) {
    on_each_engine(move |engine| {
        for runs in [false, true] {
            code(engine, Toy { runs, ..Toy::default() });
        }
    });
}

#[test]
fn a_panic_in_a_step_ends_the_stream_at_its_turn() {
    on_each_machine(|engine, toy| {
        let (log, metrics, outcome) = execute(engine, &toy, with(100, hook(|_| panic!("boom"))), Cut::Never);
        assert_eq!(outcome, boom(Some(100)));
        assert_prefix(&log, 100..=100);
        assert_eq!(metrics.steps, 100);
    });
}

#[test]
fn a_panic_of_the_base_ends_the_stream_at_its_turn() {
    on_each_machine(|engine, toy| {
        // Read while the step executes, or when its run is reported.
        for op in [Op::Read(9), Op::Pay(9, 1)] {
            let toy = Toy { panics: Some(9), runs: toy.runs, ..Toy::default() };
            let (log, _, outcome) = execute(engine, &toy, with(100, op), Cut::Never);
            assert_eq!(outcome, boom(Some(100)));
            assert_prefix(&log, 100..=100);
        }
    });
}

#[test]
fn a_panic_at_the_frontier_ends_the_stream() {
    on_each_machine(|engine, toy| {
        let panic = hook(|moment| assert!(moment.speculative, "boom"));
        let (log, _, outcome) = execute(engine, &toy, with(100, panic), Cut::Never);
        // Or the step was not executed there.
        if outcome == Ok(()) {
            assert!(engine.threads() > 1);
            assert_prefix(&log, 200..=200);
        } else {
            assert_eq!(outcome, boom(Some(100)));
            assert_prefix(&log, 100..=100);
        }
    });
}

#[test]
fn a_panic_under_speculation_changes_nothing() {
    on_each_machine(|engine, toy| {
        let panic = hook(|moment| assert!(!moment.speculative, "boom"));
        let mut steps = increments(200);
        steps.iter_mut().step_by(3).for_each(|step| step.ops.insert(1, panic.clone()));
        let (log, metrics, outcome) = execute(engine, &toy, batches(steps, &[30, 7]), Cut::Never);
        assert_eq!(outcome, Ok(()));
        assert_prefix(&log, 200..=200);
        assert_eq!(metrics.steps, 200);
    });
}

#[test]
fn a_panic_while_prefetching_changes_nothing() {
    on_each_machine(|engine, toy| {
        let toy = Toy { panics_prefetching: true, ..toy };
        let (log, _, outcome) = execute(engine, &toy, healthy(), Cut::Never);
        assert_eq!(outcome, Ok(()));
        assert_prefix(&log, 200..=200);
    });
}

#[test]
fn a_panic_in_the_sink_ends_the_stream() {
    on_each_engine(|engine| {
        let mut log = Log::default();
        let sink = Closure::new(|position, output, _| {
            assert!(position != 100, "boom");
            log.outputs.push(output);
            Ok(())
        });
        let ((), _, outcome) = engine.stream(
            &Toy::default(),
            &mut Arena::default(),
            healthy().into_iter(),
            Cut::Never,
            sink,
            |_| (),
        );
        assert_eq!(outcome, boom(None));
        assert_prefix(&log, 100..=100);
    });
}

/// Panics when it is asked about a step.
struct Startled<'a>(Recorder<'a>, usize);

impl Sink<Toy> for Startled<'_> {
    fn admit(&mut self, step: &Step, output: &mut Vec<i64>) -> Admission {
        assert!(self.0.log.outputs.len() + self.0.log.asked.len() != self.1, "boom");
        self.0.admit(step, output)
    }

    fn finalize(
        &mut self,
        step: Step,
        output: Vec<i64>,
        changes: &mut Changes<'_, Toy>,
        history: History,
    ) -> Result<(), ToyError> {
        self.0.finalize(step, output, changes, history)
    }
}

#[test]
fn a_panic_of_the_sink_that_is_asked_ends_the_stream() {
    on_each_machine(|engine, toy| {
        for position in [0, 1, 100, 199] {
            let mut log = Log::default();
            let sink = Startled(Recorder::new(&mut log), position);
            let input = healthy().into_iter();
            let ((), _, outcome) =
                engine.stream(&toy, &mut Arena::default(), input, Cut::Never, sink, |_| ());
            assert_eq!(outcome, boom(None));
            // The steps of its run were admitted, and are not final either.
            assert_prefix(&log, 0..=position);
            assert_eq!(log.outputs.len() + log.asked.len(), position);
        }
    });
}

#[test]
fn a_sink_that_refuses_a_step_ends_the_stream_at_its_position() {
    on_each_engine(|engine| {
        let mut log = Log::default();
        let sink = Closure::new(|position, output, _| {
            if position == 100 {
                return Err(ToyError::Refused);
            }
            log.outputs.push(output);
            Ok(())
        });
        let ((), _, outcome) = engine.stream(
            &Toy::default(),
            &mut Arena::default(),
            healthy().into_iter(),
            Cut::Never,
            sink,
            |_| (),
        );
        assert_eq!(outcome, Err(StreamError::Step { position: 100, error: ToyError::Refused }));
        assert_prefix(&log, 100..=100);
    });
}

#[test]
fn a_panic_in_the_input_ends_the_stream() {
    on_each_engine(|engine| {
        let toy = Toy { linger: true, ..Toy::default() };
        let input = healthy().into_iter().enumerate().inspect(|(at, _)| assert!(*at != 4, "boom"));
        let (log, _, outcome) = execute(engine, &toy, input.map(|(_, batch)| batch), Cut::Never);
        assert_eq!(outcome, boom(None));
        assert_prefix(&log, 0..=74);
    });
}

#[test]
fn a_panic_inside_a_batch_ends_the_stream_without_skipping_steps() {
    on_each_engine(|engine| {
        // The worker that panics lingers, so that others could pull from the broken input meanwhile.
        let toy = Toy { linger: true, ..Toy::default() };
        let steps = increments(200).into_iter().enumerate();
        let batch = steps.inspect(|(at, _)| assert!(*at != 100, "boom")).map(|(_, step)| step);
        let mut log = Log::default();
        let sink = Closure::new(|_, output, _| {
            log.outputs.push(output);
            Ok(())
        });
        let ((), _, outcome) =
            engine.stream(&toy, &mut Arena::default(), std::iter::once(batch), Cut::Never, sink, |_| ());
        assert_eq!(outcome, boom(None));
        assert_prefix(&log, 0..=100);
    });
}

#[test]
fn a_panicking_consumer_ends_the_stream() {
    on_each_engine(|engine| {
        let sink = Closure::new(|_, _, _| Ok(()));
        let pulled = AtomicU64::new(0);
        // Long enough that no engine gets to its end.
        let input = std::iter::repeat_with(|| {
            pulled.fetch_add(1, Ordering::Relaxed);
            std::thread::sleep(Duration::from_micros(200));
            increments(1)
        })
        .take(100_000);
        let toy = Toy::default();
        let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let _ = engine.stream(&toy, &mut Arena::default(), input, Cut::Never, sink, |_| panic!("boom"));
        }));
        assert!(panic.is_err_and(|panic| panic.downcast_ref() == Some(&"boom")));
        assert!(pulled.into_inner() < 50_000, "the workers went on without a consumer");
    });
}

/// Takes 60 outputs of an endless stream from a bounded channel, then cancels it or only hangs up.
fn take_60(engine: &Engine, cancel: bool) -> Ending {
    let (sender, receiver) = mpsc::sync_channel(4);
    let sink = Closure::new(move |_, output, _| sender.send(output).map_err(|_| ToyError::Refused));
    let input = std::iter::repeat_with(|| increments(30));
    let (log, _, outcome) =
        engine.stream(&Toy::default(), &mut Arena::default(), input, Cut::Never, sink, move |running| {
            let log: Vec<_> = receiver.iter().take(60).collect();
            if cancel {
                running.cancel();
            }
            drop(receiver);
            log
        });
    assert_eq!(log, serial(&[increments(60)]).0.outputs);
    outcome
}

/// Whether the consumer had closed the sink's channel, which holds up to four outputs.
fn is_refused(outcome: &Ending) -> bool {
    matches!(outcome, Err(StreamError::Step { position: 60..=64, error: ToyError::Refused }))
}

#[test]
fn cancelling_ends_an_endless_stream() {
    on_each_engine(|engine| {
        // A sink that was waiting for the consumer may be refused when the consumer hangs up.
        let outcome = take_60(engine, true);
        assert!(outcome == Ok(()) || is_refused(&outcome), "{outcome:?}");
    });
}

#[test]
fn a_consumer_that_hangs_up_ends_an_endless_stream() {
    on_each_engine(|engine| {
        let outcome = take_60(engine, false);
        assert!(is_refused(&outcome), "{outcome:?}");
    });
}

#[test]
fn cancelling_counts_as_an_end_without_error() {
    on_each_engine(|engine| {
        let (sender, receiver) = mpsc::channel();
        let sink = Closure::new(move |_, output, _| sender.send(output).map_err(|_| ToyError::Refused));
        let input = std::iter::repeat_with(|| increments(30));
        let (log, metrics, outcome) =
            engine.stream(&Toy::default(), &mut Arena::default(), input, Cut::Never, sink, |running| {
                let mut log: Vec<_> = receiver.iter().take(50).collect();
                running.cancel();
                // The sink is dropped with the last worker, not with the call.
                log.extend(receiver.iter());
                log
            });
        assert_eq!(outcome, Ok(()));
        assert_eq!(metrics.steps, log.len() as u64);
        assert_eq!(log, serial(&[increments(log.len() as u64)]).0.outputs);
    });
}

#[test]
fn the_consumer_can_take_the_failure() {
    on_each_engine(|engine| {
        let (sender, receiver) = mpsc::channel();
        let sink = Closure::new(move |_, output, _| sender.send(output).map_err(|_| ToyError::Refused));
        let input = with(100, Op::Demand(0, 1_000_000)).into_iter();
        let (failure, metrics, outcome) =
            engine.stream(&Toy::default(), &mut Arena::default(), input, Cut::Never, sink, |running| {
                assert_eq!(receiver.iter().count(), 100);
                running.take_failure()
            });
        assert_eq!(failure, Some(StreamError::Step { position: 100, error: ToyError::Funds(0) }));
        assert_eq!(outcome, Ok(()), "a failure is told once");
        assert_eq!(metrics.steps, 100);
    });
}

#[test]
fn a_slow_consumer_gets_everything_in_order() {
    on_each_engine(|engine| {
        let (sender, receiver) = mpsc::sync_channel(2);
        let sink = Closure::new(move |_, output, _| sender.send(output).map_err(|_| ToyError::Refused));
        let input = healthy().into_iter();
        let (log, _, outcome) =
            engine.stream(&Toy::default(), &mut Arena::default(), input, Cut::Never, sink, |_| {
                let slow = receiver.iter().inspect(|_| std::thread::sleep(Duration::from_micros(50)));
                slow.collect::<Vec<_>>()
            });
        assert_eq!(outcome, Ok(()));
        assert_eq!(log, serial(&healthy()).0.outputs);
    });
}
