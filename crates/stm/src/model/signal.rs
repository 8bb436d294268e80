use super::check;
use crate::signal::Signal;
use crate::sync::atomic::{AtomicUsize, Ordering};
use loom::thread::spawn;
use std::sync::Arc;

/// Each of the threads waits for a count that the main thread reaches in two steps. That none sleeps for ever is the test.
fn wait_for(threads: usize, preemptions: usize) {
    check(preemptions, move || {
        // Relaxed, so that nothing but the signal makes it visible.
        let (signal, count) = (Arc::new(Signal::default()), Arc::new(AtomicUsize::new(0)));
        let waiters: Vec<_> = (0..threads)
            .map(|i| {
                let (signal, count) = (signal.clone(), count.clone());
                spawn(move || signal.wait_until(|| count.load(Ordering::Relaxed) > i))
            })
            .collect();
        for value in 1..=2 {
            count.store(value, Ordering::Relaxed);
            signal.notify();
        }
        for waiter in waiters {
            waiter.join().expect("it does not panic");
        }
    });
}

#[test]
fn a_waiter_is_woken() {
    wait_for(1, 9);
}

#[test]
fn two_waiters_are_woken() {
    wait_for(2, 3);
}
