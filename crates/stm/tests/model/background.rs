//! Background work on the threads of a stream that depends on it.

use crate::explore::{Chooser, Watched, check, explore, observed};
use crate::toy::Toy;
use crate::toy::harness::{compare, engine};
use crate::toy::oracle::Log;
use shuttle::sync::mpsc::{Receiver, TryRecvError, channel};
use tandem_stm::{Arena, assist};

/// Receives while doing background work, as an input does that waits for some.
fn receive<T>(receiver: &Receiver<T>) -> Option<T> {
    loop {
        match receiver.try_recv() {
            Ok(value) => return Some(value),
            Err(TryRecvError::Disconnected) => return None,
            Err(TryRecvError::Empty) => {
                if assist() != Some(true) {
                    shuttle::thread::yield_now();
                }
            }
        }
    }
}

#[test]
fn input_may_come_from_background_work() {
    explore(|chooser| {
        let (engine, window) = chooser.engine();
        let mut arena = Arena::default();
        let batches = chooser.stream(true);
        let input = batches.iter().cloned().map(|batch| {
            let (sender, receiver) = channel();
            engine.background().spawn(move || sender.send(batch).expect("the input waits"));
            receive(&receiver).expect("the work sends")
        });
        let (log, metrics, outcome) = observed(chooser, &engine, &mut arena, &Toy::default(), input, None);
        compare(&batches, &log, &metrics, &outcome);
        arena.assert_returned(window);
    });
}

#[test]
fn a_consumer_may_work_on_the_threads_that_serve_it() {
    explore(|chooser| {
        let (engine, _) = chooser.engine();
        let (mut arena, mut log) = (Arena::default(), Log::default());
        let batches = chooser.stream(false);
        let cut = chooser.cut();
        let (sink, outputs) = Watched::new(&mut log, None);
        let input = batches.iter().cloned();
        let (worked, metrics, outcome) =
            engine.stream(&Toy::default(), &mut arena, input, cut, sink, |running| {
                let mut worked = 0;
                while outputs.recv().is_ok() {
                    worked += engine.background().run(|| 1);
                    running.assert_invariants();
                }
                worked
            });
        assert_eq!(worked, metrics.steps);
        compare(&batches, &log, &metrics, &outcome);
    });
}

#[test]
fn background_work_of_others_changes_nothing() {
    explore(|chooser| {
        let (engine, _) = chooser.engine();
        let batches = chooser.stream(true);
        let pieces = 1 + chooser.below(3);
        shuttle::thread::scope(|scope| {
            scope.spawn(|| {
                for piece in 0..pieces {
                    assert_eq!(engine.background().run(|| piece), piece);
                    engine.background().spawn(|| panic!("boom"));
                }
            });
            scope.spawn(|| check(&mut Chooser::new(), &engine, &mut Arena::default(), &batches));
        });
    });
}

/// The worker that pulls the input sleeps in it, so that only the others can do the work that the input is waiting for.
#[test]
fn idle_workers_wake_up_for_background_work() {
    explore(|chooser| {
        let engine = engine(2 + chooser.below(2), 4);
        let (mut arena, mut log) = (Arena::default(), Log::default());
        let batches = chooser.stream(true);
        let (cut, pause) = (chooser.cut(), chooser.below(100));
        let (sink, _outputs) = Watched::new(&mut log, None);
        let (sender, input) = channel();
        let ((), metrics, outcome) =
            engine.stream(&Toy::default(), &mut arena, input.into_iter(), cut, sink, |_| {
                for batch in &batches {
                    // Time for all workers to fall asleep.
                    (0..pause).for_each(|_| shuttle::thread::yield_now());
                    let batch = engine.background().run(|| batch.clone());
                    // The stream no longer receives after a step has failed.
                    let _ = sender.send(batch);
                }
                drop(sender);
            });
        compare(&batches, &log, &metrics, &outcome);
    });
}
