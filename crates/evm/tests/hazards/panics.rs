//! A panic in one worker: the stream ends with an error, the process lives, nothing hangs, and the executor serves the
//! next stream.

use crate::common::contracts::*;
use crate::common::gates::{Event, Hold, Trouble, hold};
use crate::common::{Fork, Scenario, at, with_executor_in_order};
use tandem_evm::ExecutionError;

/// Three blocks of acts that depend on each other; one act of the second reads what nobody else does.
fn setting() -> (Scenario, Event) {
    let mut s = Scenario::new(Fork::Prague);
    s.contract(at(1), &counter(), 0);
    s.act([pays(at(1), 1)]);
    s.act([pays(at(1), 1)]);
    s.next_block();
    s.act([pays(at(1), 1), pays(at(900), 1)]);
    s.next_block();
    s.act([pays(at(1), 1)]);
    (s, Event::Read(at(900)))
}

/// Streams with a panic, then without, on each number of threads.
fn panic_and_go_on(threads: &[usize], holds: &[Hold], finished: std::ops::RangeInclusive<usize>) {
    let (s, event) = setting();
    let expected = s.check_orders().report.valid();
    for threads in threads {
        let executor = with_executor_in_order(*threads);
        for _ in 0..5 {
            let gates = s.gates(holds).with_trouble(event, Trouble::Panic, usize::MAX);
            let streamed = s.stream_through(&gates, &executor);
            match streamed.error {
                Some(ExecutionError::Internal(message)) => assert!(message.contains("panics"), "{message}"),
                other => panic!("{threads} threads: {other:?}"),
            }
            assert!(finished.contains(&streamed.finished.len()), "{threads} threads");
            let streamed = s.stream_through(&s.gates(&[]), &executor);
            assert!(streamed.error.is_none(), "{threads} threads: {:?}", streamed.error);
            assert_eq!(streamed.finished.len(), expected.blocks.len());
        }
    }
}

#[test]
fn a_panic_while_another_worker_holds_the_frontier_ends_the_stream() {
    let (s, event) = setting();
    panic_and_go_on(&[2, 4, 8], &[hold(s.end_of(0), [event])], 0..=0);
}

#[test]
fn a_panic_once_everything_before_is_final_ends_the_stream() {
    // The third act, whose block's first transaction it is.
    panic_and_go_on(&[2, 4, 8], &[hold(Event::Read(at(900)), [Event::Final(1)])], 0..=1);
}

#[test]
fn a_panic_on_the_only_thread_ends_the_stream_after_what_was_final() {
    panic_and_go_on(&[1], &[], 1..=1);
}
