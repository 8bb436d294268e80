//! Work that shares the threads of a stream: what the stream waits for may be done by its own workers.

use crate::toy::harness::{Closure, engine, in_time};
use crate::toy::{Op, Step, Toy, step};
use std::sync::mpsc::{Receiver, TryRecvError, TrySendError, channel, sync_channel};
use tandem_stm::{Arena, Cut, Engine, assist};

const BATCHES: u64 = 30;

fn on_each_engine(code: impl Fn(&Engine) + Send + 'static) {
    in_time(move || {
        for threads in [1, 2, 4] {
            for window in [2, 64] {
                code(&engine(threads, window));
            }
        }
    });
}

fn batch() -> Vec<Step> {
    (0..10).map(|i| step([Op::Read(0), Op::Write(0, 1), Op::Add(1 + i % 3, 1)])).collect()
}

/// Receives while doing background work, as an input does that waits for some.
fn receive<T>(receiver: &Receiver<T>) -> Option<T> {
    loop {
        match receiver.try_recv() {
            Ok(value) => return Some(value),
            Err(TryRecvError::Disconnected) => return None,
            Err(TryRecvError::Empty) => {
                if assist() != Some(true) {
                    std::thread::yield_now();
                }
            }
        }
    }
}

#[test]
fn input_may_come_from_background_work() {
    on_each_engine(|engine| {
        let input = (0..BATCHES).map(|_| {
            let (sender, receiver) = channel();
            engine.background().spawn(move || sender.send(batch()).expect("the input waits"));
            receive(&receiver).expect("the work sends")
        });
        let sink = Closure::new(|_, _, _| Ok(()));
        let ((), metrics, outcome) =
            engine.stream(&Toy::default(), &mut Arena::default(), input, Cut::Never, sink, |_| ());
        assert_eq!(outcome, Ok(()));
        assert_eq!(metrics.steps, 10 * BATCHES);
    });
}

#[test]
fn a_consumer_may_work_on_the_threads_that_wait_for_it() {
    on_each_engine(|engine| {
        let (sender, outputs) = sync_channel(1);
        let sink = Closure::new(move |_, output, _| {
            let mut output = output;
            while let Err(TrySendError::Full(unsent)) = sender.try_send(output) {
                output = unsent;
                if assist() != Some(true) {
                    std::thread::yield_now();
                }
            }
            Ok(())
        });
        let input = (0..BATCHES).map(|_| batch());
        let (received, metrics, outcome) =
            engine.stream(&Toy::default(), &mut Arena::default(), input, Cut::Never, sink, |_| {
                let mut received = 0;
                while outputs.recv().is_ok() {
                    received += engine.background().run(|| rayon::join(|| 1, || 1)).0;
                }
                received
            });
        assert_eq!(outcome, Ok(()));
        assert_eq!((received, metrics.steps), (10 * BATCHES, 10 * BATCHES));
    });
}

#[test]
fn a_panic_in_background_work_is_the_callers() {
    in_time(|| {
        let engine = engine(2, 16);
        let panic = std::panic::AssertUnwindSafe(|| engine.background().run(|| panic!("mishap")));
        assert!(std::panic::catch_unwind(panic).is_err());
        let (sender, receiver) = channel::<()>();
        engine.background().spawn(move || {
            let _sender = sender;
            panic!("mishap");
        });
        assert!(receiver.recv().is_err());
        assert_eq!(engine.background().run(|| 5), 5);
    });
}
