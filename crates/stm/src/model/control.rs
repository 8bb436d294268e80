//! The end of a stream between two rounds.

use super::check;
use crate::control::Control;
use loom::thread::spawn;
use std::sync::Arc;

#[test]
fn a_stream_that_is_cancelled_between_two_rounds_ends() {
    check(3, || {
        let control = Arc::new(Control::<()>::new(1, 0));
        let consumer = {
            let control = control.clone();
            spawn(move || control.stop())
        };
        let worker = {
            let control = control.clone();
            spawn(move || control.end_round())
        };
        worker.join().expect("it does not unwind");
        control.begin_round();
        consumer.join().expect("it does not unwind");
        assert!(control.stopped(), "the workers of the next round do not see the end");
    });
}
