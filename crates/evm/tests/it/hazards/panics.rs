//! A panic while speculating: it counts only if it is still there at the turn. Then the stream ends with an error after what was final
//! before it, the process lives, nothing hangs, and the executor serves the next stream.

use crate::common::contracts::*;
use crate::common::gates::{Event, Hold, Trouble, hold};
use crate::common::{Fork, Scenario, assert_like, at, with_executor, with_executor_in_order};
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

/// Streams with a lasting panic, then without, on each number of threads.
fn panic_and_go_on(threads: &[usize], holds: &[Hold]) {
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
            assert_eq!(streamed.finished.len(), 1, "{threads} threads");
            let streamed = s.stream_through(&s.gates(&[]), &executor);
            assert!(streamed.error.is_none(), "{threads} threads: {:?}", streamed.error);
            assert_eq!(streamed.finished.len(), expected.blocks.len());
        }
    }
}

#[test]
fn a_panic_while_another_worker_holds_the_frontier_is_one_at_the_turn() {
    let (s, event) = setting();
    panic_and_go_on(&[2, 4, 8], &[hold(s.end_of(0), [event])]);
}

#[test]
fn a_panic_once_everything_before_is_final_ends_the_stream() {
    // The third act, whose block's first transaction it is.
    panic_and_go_on(&[2, 4, 8], &[hold(Event::Read(at(900)), [Event::Final(1)])]);
}

#[test]
fn a_panic_in_a_run_ends_the_stream_after_what_was_final() {
    let (s, event) = setting();
    for threads in [1, 2, 4, 8] {
        let executor = with_executor(threads, 0);
        for _ in 0..5 {
            let gates = s.gates(&[]).with_trouble(event, Trouble::Panic, usize::MAX);
            let streamed = s.stream_in(&gates, &executor, true);
            let Some(ExecutionError::Internal(message)) = streamed.error else { panic!("{threads} threads") };
            assert!(message.contains("panics"), "{message}");
            assert_eq!(streamed.finished.len(), 1, "{threads} threads");
            let streamed = s.stream_in(&s.gates(&[]), &executor, true);
            assert!(streamed.error.is_none(), "{threads} threads: {:?}", streamed.error);
        }
    }
}

#[test]
fn a_panic_on_the_only_thread_ends_the_stream_after_what_was_final() {
    panic_and_go_on(&[1], &[]);
}

#[test]
fn a_panic_that_is_gone_at_the_turn_is_none() {
    let (s, event) = setting();
    let expected = s.check_orders().report.valid();
    for threads in [2, 4, 8] {
        // The first act cannot end before the panic has happened.
        let gates = s.gates(&[hold(s.end_of(0), [event])]).with_trouble(event, Trouble::Panic, 1);
        let streamed = s.stream_through(&gates, &with_executor_in_order(threads));
        assert!(streamed.error.is_none(), "{threads} threads: {:?}", streamed.error);
        assert!(streamed.metrics.blocked > 0, "{threads} threads");
        assert_like(&streamed, &expected, &format!("{threads} threads"));
    }
}
