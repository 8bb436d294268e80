//! Streams beside and inside one another on one engine: each ends, and is as if it were alone.

use crate::toy::harness::{Closure, Recorder, batches, compare, engine, execute, in_time};
use crate::toy::oracle::Log;
use crate::toy::{Op, Step, Toy, ToyError, hook, step};
use std::sync::{Arc, mpsc};
use std::thread;
use tandem_stm::{Arena, Cut, Engine, assist};

/// Of each scenario, over all sizes of engines.
const REPETITIONS: usize = 1_000;

/// Repetitions on the same engines; each such part has its time.
const PART: usize = 50;

/// Repeats a scenario on engines of one, two and four threads.
fn repeat(scenario: impl Fn(&Engine, usize) + Send + Sync + 'static) {
    let scenario = Arc::new(scenario);
    for part in 0..REPETITIONS / PART {
        let scenario = scenario.clone();
        in_time(move || {
            let engines = [1, 2, 4].map(|threads| engine(threads, 16));
            for round in part * PART..(part + 1) * PART {
                scenario(&engines[round % 3], round);
            }
        });
    }
}

/// A short stream, in batches.
fn stream(round: usize) -> Vec<Vec<Step>> {
    let steps = (0..3 + round % 9).map(|i| step([Op::Read((i % 2) as u8), Op::Write(0, 1), Op::Add(2, 1)]));
    batches(steps.collect(), &[4, 1, 3])
}

fn toy(round: usize) -> Toy {
    Toy { runs: round.is_multiple_of(2), ..Toy::default() }
}

/// Executes a stream with a consumer, and another one without.
fn streams(engine: &Engine, round: usize) {
    let (batches, toy) = (stream(round), toy(round / 3));
    let (log, metrics, outcome) = execute(engine, &toy, batches.clone(), Cut::Never);
    compare(&batches, &log, &metrics, &outcome);
    call(engine, round);
}

/// Executes a stream on this thread, with others and alone.
fn call(engine: &Engine, round: usize) {
    let (batches, toy) = (stream(round), toy(round / 3));
    let mut arena = Arena::default();
    for alone in [false, true] {
        let mut log = Log::default();
        let (input, sink) = (batches.iter().cloned(), Recorder::new(&mut log));
        let (metrics, outcome) = if alone {
            engine.call_alone(&toy, &mut arena, input, sink)
        } else {
            engine.call(&toy, &mut arena, input, Cut::Batch, usize::MAX, sink)
        };
        compare(&batches, &log, &metrics, &outcome);
    }
}

/// Executes a stream whose steps are consumed by `consume` one by one.
fn consumed(
    engine: &Engine,
    input: impl IntoIterator<Item = Vec<Step>, IntoIter: Send>,
    consume: impl Fn(),
) -> usize {
    let (sender, outputs) = mpsc::sync_channel(1);
    let sink = Closure::new(move |_, output, _| sender.send(output).map_err(|_| ToyError::Refused));
    let (count, _, outcome) =
        engine.stream(&Toy::default(), &mut Arena::default(), input.into_iter(), Cut::Never, sink, |_| {
            outputs.iter().inspect(|_| consume()).count()
        });
    assert_eq!(outcome, Ok(()));
    count
}

#[test]
fn a_consumer_may_execute_streams() {
    repeat(|engine, round| {
        let outer = stream(round);
        let steps: usize = outer.iter().map(Vec::len).sum();
        assert_eq!(consumed(engine, outer, || streams(engine, round)), steps);
    });
}

#[test]
fn streams_may_execute_inside_one_another_to_any_depth() {
    fn nested(engine: &Engine, round: usize, depth: usize) {
        if depth == 0 {
            return streams(engine, round);
        }
        assert_eq!(consumed(engine, [vec![step([])]], || nested(engine, round, depth - 1)), 1);
    }
    repeat(|engine, round| nested(engine, round, round % 7));
}

#[test]
fn streams_execute_while_another_one_waits_for_its_input() {
    repeat(|engine, round| {
        let (sender, input) = mpsc::channel();
        thread::scope(|scope| {
            let waiting = scope.spawn(|| consumed(engine, input, || ()));
            streams(engine, round);
            sender.send(vec![step([])]).expect("the stream waits");
            streams(engine, round);
            drop(sender);
            assert_eq!(waiting.join().expect("it does not panic"), 1);
        });
    });
}

#[test]
fn an_input_a_step_and_a_sink_may_execute_streams() {
    repeat(|engine, round| {
        thread::scope(|scope| {
            // A step's code may borrow nothing. So it has another thread execute the streams.
            let (ask, asked) = mpsc::channel::<mpsc::Sender<()>>();
            scope.spawn(move || asked.iter().for_each(|_answer| streams(engine, round)));
            let executing = hook(move |_| {
                let (answer, answered) = mpsc::channel();
                ask.send(answer).expect("a thread answers");
                assert!(answered.recv().is_err(), "the answer is the sender's end");
            });
            let input = (0..2).map(|_| {
                streams(engine, round);
                vec![step([executing.clone()])]
            });
            let sink = Closure::new(|_, _, _| {
                streams(engine, round);
                Ok(())
            });
            let (toy, mut arena) = (Toy::default(), Arena::default());
            let (metrics, outcome) = match round % 2 {
                0 => engine.call(&toy, &mut arena, input, Cut::Never, usize::MAX, sink),
                _ => {
                    let ((), metrics, outcome) =
                        engine.stream(&toy, &mut arena, input, Cut::Never, sink, |_| ());
                    (metrics, outcome)
                }
            };
            assert_eq!((metrics.steps, outcome), (2, Ok(())));
            drop(executing);
        });
    });
}

#[test]
fn background_work_may_execute_streams_that_a_stream_waits_for() {
    repeat(|engine, round| {
        engine.background().run(|| streams(engine, round));
        let input = (0..3).map(|_| {
            engine.background().run(|| rayon::join(|| streams(engine, round), || call(engine, round)));
            vec![step([])]
        });
        assert_eq!(consumed(engine, input, || engine.background().run(|| call(engine, round))), 3);
    });
}

#[test]
fn background_work_may_consume_a_stream_whose_input_is_background_work() {
    repeat(|engine, round| {
        let outputs = engine.background().run(|| {
            let input = (0..3).map(|_| {
                let (sender, receiver) = mpsc::channel();
                engine.background().spawn(move || sender.send(stream(round)).expect("the input waits"));
                receiver.recv().expect("the work sends")
            });
            let (sender, outputs) = mpsc::channel();
            let sink = Closure::new(move |_, output, _| sender.send(output).map_err(|_| ToyError::Refused));
            let (count, _, outcome) =
                engine.stream(&toy(round), &mut Arena::default(), input.flatten(), Cut::Never, sink, |_| {
                    let mut count = 0;
                    loop {
                        match outputs.try_recv() {
                            Ok(_) => count += 1,
                            Err(mpsc::TryRecvError::Disconnected) => return count,
                            // The one thread for background work may be this one.
                            Err(mpsc::TryRecvError::Empty) if assist() == Some(true) => {}
                            Err(mpsc::TryRecvError::Empty) => thread::yield_now(),
                        }
                    }
                });
            assert_eq!(outcome, Ok(()));
            count
        });
        assert_eq!(outputs, 3 * (3 + round % 9));
    });
}

#[test]
fn any_number_of_streams_may_execute_at_once() {
    repeat(|engine, round| {
        thread::scope(|scope| {
            for caller in 0..round % 12 {
                scope.spawn(move || match caller % 2 {
                    0 => streams(engine, round + caller),
                    _ => (0..3).for_each(|_| call(engine, round)),
                });
            }
        });
        if round.is_multiple_of(50) {
            engine.release();
        }
    });
}

#[test]
fn a_stream_that_fails_or_panics_beside_others_leaves_them_alone() {
    repeat(|engine, round| {
        thread::scope(|scope| {
            scope.spawn(|| streams(engine, round));
            scope.spawn(|| {
                let failing =
                    if round.is_multiple_of(2) { Op::Demand(0, 1_000) } else { hook(|_| panic!("boom")) };
                let mut batches = stream(round);
                batches[0][2].ops.push(failing);
                let (log, _, outcome) = execute(engine, &toy(round), batches, Cut::Never);
                assert!(outcome.is_err() && log.outputs.len() == 2, "{outcome:?}");
            });
        });
    });
}
