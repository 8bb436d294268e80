//! Streams of unusual shapes, and inputs that take their time.

use crate::toy::harness::{Closure, Recorder, batches, check, compare, engine, in_time, small_engine};
use crate::toy::oracle::Log;
use crate::toy::{Key, Op, Step, Toy, ToyError, hook, step};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::time::Duration;
use tandem_stm::{Arena, Config, ConfigError, Cut, Engine};

/// What an empty arena takes, in bytes, or little more.
const LEAST: usize = 1 << 16;

/// A chain over one number, with side effects.
fn chain(n: u64) -> Vec<Step> {
    (0..n).map(|i| step([Op::Read(0), Op::Write(0, 1), Op::Add((1 + i % 4) as u8, 1)])).collect()
}

fn on_each_engine(code: impl Fn(&Engine) + Send + 'static) {
    in_time(move || {
        for threads in [1, 2, 4, 8] {
            for window in [2, 4, 64] {
                code(&engine(threads, window));
            }
        }
    });
}

#[test]
fn streams_of_any_length_end() {
    on_each_engine(|engine| {
        for length in [0, 1, 2, 3, 4, 5, 31, 32, 33, 63, 64, 65, 300] {
            for cut in [Cut::Never, Cut::Batch] {
                check(engine, &batches(chain(length), &[1_000]), cut);
                check(engine, &batches(chain(length), &[1]), cut);
            }
        }
    });
}

#[test]
fn empty_batches_change_nothing() {
    on_each_engine(|engine| {
        for cut in [Cut::Never, Cut::Batch] {
            assert_eq!(check(engine, &[vec![], vec![], vec![]], cut).steps, 0);
            check(engine, &batches(chain(50), &[0, 0, 1, 0, 7]), cut);
            let mut trailing = batches(chain(50), &[20]);
            trailing.extend([vec![], vec![]]);
            check(engine, &trailing, cut);
        }
    });
}

#[test]
fn values_stay_until_the_sink_has_taken_the_changes() {
    in_time(|| {
        for threads in [1, 2, 4] {
            let (engine, toy) = (small_engine(threads, 4, 0), Toy::default());
            let (mut log, batches) = (Vec::new(), batches(chain(50), &[7]));
            // This sink takes none.
            let sink = Closure::new(|_, output: Vec<i64>, _| {
                log.push(output[0]);
                Ok(())
            });
            let ((), metrics, outcome) =
                engine.stream(&toy, &mut Arena::default(), batches.into_iter(), Cut::Never, sink, |_| ());
            assert_eq!((outcome, metrics.retirements), (Ok(()), 0));
            assert_eq!(log, (40..90).collect::<Vec<_>>());
        }
    });
}

#[test]
fn one_engine_executes_many_streams() {
    in_time(|| {
        let engine = engine(4, 16);
        for length in 0..200 {
            check(&engine, &batches(chain(length % 40), &[3, 9]), Cut::Never);
        }
    });
}

#[test]
fn streams_of_two_callers_do_not_mix() {
    in_time(|| {
        let engine = engine(2, 16);
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    for _ in 0..30 {
                        check(&engine, &batches(chain(60), &[9]), Cut::Never);
                    }
                });
            }
        });
    });
}

#[test]
fn settings_that_make_no_sense_are_refused() {
    let error = |threads, window| Engine::new(&Config::default().threads(threads).window(window)).err();
    assert_eq!(error(0, 64), Some(ConfigError::Threads(0)));
    assert_eq!(error(1_000_000, 64), Some(ConfigError::Threads(1_000_000)));
    assert_eq!(error(usize::MAX, 64), Some(ConfigError::Threads(usize::MAX)));
    assert_eq!(error(1, 0), Some(ConfigError::Window(0)));
    assert_eq!(error(1, 1), Some(ConfigError::Window(1)));
    assert_eq!(error(1, usize::MAX), Some(ConfigError::Window(usize::MAX)));
    assert_eq!(error(0, 0), Some(ConfigError::Threads(0)));
}

#[test]
fn sensible_settings_are_kept() {
    assert_eq!(engine(3, 2).threads(), 3);
    // Not a power of two, and smaller than the number of threads.
    check(&engine(8, 3), &batches(chain(100), &[7]), Cut::Never);
    assert!(Engine::new(&Config::default()).is_ok_and(|engine| engine.threads() > 0));
}

#[test]
fn results_come_out_before_the_next_batch_goes_in() {
    on_each_engine(|engine| {
        for cut in [Cut::Never, Cut::Batch] {
            let (batches, input) = mpsc::channel();
            let (sender, outputs) = mpsc::channel();
            let sink = Closure::new(move |_, output, _| sender.send(output).map_err(|_| ToyError::Refused));
            let ((), metrics, outcome) = engine.stream(
                &Toy::default(),
                &mut Arena::default(),
                input.into_iter(),
                cut,
                sink,
                move |_| {
                    let mut value = Key::Number(0).base();
                    for length in [1, 5, 0, 2, 70, 1, 1, 33] {
                        batches.send(chain(length)).expect("the workers listen");
                        for _ in 0..length {
                            let output = outputs.recv_timeout(Duration::from_secs(20));
                            assert_eq!(output, Ok(vec![value]));
                            value += 1;
                        }
                    }
                    drop(batches);
                    assert!(outputs.recv().is_err(), "nothing comes after the end");
                },
            );
            assert_eq!(outcome, Ok(()));
            assert_eq!(metrics.steps, 113);
        }
    });
}

/// Runs batches of ten steps; gives how many steps started before all earlier batches were final.
fn early_starts(cut: Cut) -> u64 {
    in_time(move || {
        let (last, early) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let watch = || {
            let (last, early) = (last.clone(), early.clone());
            hook(move |moment| {
                std::thread::sleep(Duration::from_micros(20));
                let start = moment.position / 10 * 10;
                early.fetch_add(u64::from(last.load(Ordering::SeqCst) < start), Ordering::SeqCst);
            })
        };
        let steps = (0..300_u64).map(|i| step([watch(), Op::Read((i % 7) as u8), Op::Write(0, 1)]));
        let sink = Closure::new(|position, _, _| {
            last.store(position + 1, Ordering::SeqCst);
            Ok(())
        });
        let batches = batches(steps.collect(), &[10]);
        let ((), metrics, outcome) = engine(4, 64).stream(
            &Toy::default(),
            &mut Arena::default(),
            batches.into_iter(),
            cut,
            sink,
            |_| (),
        );
        assert_eq!(outcome, Ok(()));
        assert_eq!(metrics.steps, 300);
        early.load(Ordering::SeqCst)
    })
}

#[test]
fn no_step_starts_before_earlier_batches_are_final_if_the_stream_is_cut() {
    assert_eq!(early_starts(Cut::Batch), 0);
}

#[test]
fn steps_start_before_earlier_batches_are_final_if_it_is_not() {
    assert!(early_starts(Cut::Never) > 0);
}

#[test]
fn keys_with_equal_hashes_stay_apart() {
    on_each_engine(|engine| {
        let key = |i: u64| Key::COLLIDING + (i % 50) as u8;
        let steps = (0..400).map(|i| {
            step([Op::Read(key(i)), Op::Write(key(i + 1), 1), Op::Add(key(i * 7), 3), Op::Read(key(i * 3))])
        });
        check(engine, &batches(steps.collect(), &[33]), Cut::Never);
    });
}

/// Every wipe makes new slots: more keys than any initial table holds.
fn thousands_of_keys() -> Vec<Step> {
    let steps = (0..4_000_u64).map(|i| {
        let owner = (i % 8) as u8;
        let writes = (0..4).map(|slot| Op::WriteSlot(owner, slot, i as i64));
        step([Op::Wipe(owner)].into_iter().chain(writes).chain([Op::ReadSlot(owner, 2)]).collect::<Vec<_>>())
    });
    steps.collect()
}

#[test]
fn thousands_of_keys_are_kept_apart() {
    in_time(|| {
        check(&engine(4, 64), &batches(thousands_of_keys(), &[100]), Cut::Never);
    });
}

#[test]
fn an_arena_keeps_no_more_than_it_may() {
    in_time(|| {
        let batches = batches(thousands_of_keys(), &[100]);
        for threads in [1, 2, 4] {
            let bytes_after = |most: usize| {
                let engine = Engine::new(&Config::default().threads(threads).kept_memory(most));
                let (engine, mut arena) = (engine.expect("sensible settings"), Arena::default());
                // What one stream leaves is used by the next one, be it little.
                for _ in 0..3 {
                    let mut log = Log::default();
                    let input = batches.iter().cloned();
                    let (metrics, outcome) = engine.call(
                        &Toy::default(),
                        &mut arena,
                        input,
                        Cut::Never,
                        700,
                        Recorder::new(&mut log),
                    );
                    compare(&batches, &log, &metrics, &outcome);
                    assert!(arena.bytes() <= most.max(LEAST), "{} bytes are kept of {most}", arena.bytes());
                }
                arena.bytes()
            };
            let all = bytes_after(usize::MAX);
            assert!(all > 1 << 19, "{all} bytes");
            assert!(bytes_after(all / 3) > LEAST);
            bytes_after(0);
        }
    });
}
