//! A storage fault while speculating: it counts only if it is still there at the turn. Then it is reported as a fault, not
//! as an invalid block, and what became final before it stays as it was.

use crate::common::contracts::*;
use crate::common::gates::{Event, Trouble, hold};
use crate::common::{Fork, Scenario, Tx, at};
use alloy_primitives::U256;
use tandem_evm::{Config, ExecutionError, Executor};

const FORKS: [Fork; 2] = [Fork::Homestead, Fork::Prague];

/// The act that does what nobody else does.
const RARE: usize = 2;

/// Two blocks; in the second, one act reads an account, a slot, a code and a block's hash that nobody else does. Gives
/// what can go wrong, and who pays for it all.
fn setting(fork: Fork) -> (Scenario, Vec<Event>) {
    let mut s = Scenario::new(fork);
    s.contract(at(1), &counter(), 0);
    s.contract(at(2), &copier(), 0);
    let code = s.account(at(2)).code_hash;
    s.act([pays(at(1), 1)]);
    s.act([pays(at(1), 1)]);
    s.next_block();
    let copy = crate::common::asm::words(&[U256::from(5), U256::from(6)]);
    let rare = [Do::Mark(101), Do::Call(at(2), U256::ZERO, copy), pays(at(900), 1), pays(at(1), 0)];
    s.act(rare);
    s.act([pays(at(1), 1)]);
    let sender = Event::Read(Scenario::act_sender(RARE as u64));
    let slot = Event::ReadSlot(at(2), 5);
    (s, vec![Event::Mark(100), Event::Read(at(900)), slot, Event::ReadCode(code), sender])
}

/// An executor that knows no codes yet, with runs or without.
fn executor_with(threads: usize, runs: bool) -> Executor {
    Executor::new(&Config::default().threads(threads).hints(false).runs(runs)).unwrap()
}

/// An executor that can be held back.
fn executor(threads: usize) -> Executor {
    executor_with(threads, false)
}

#[test]
fn a_fault_that_is_gone_at_the_turn_is_none() {
    for fork in FORKS {
        let (s, events) = setting(fork);
        let report = s.check_orders().report.valid();
        for event in events {
            for threads in [2, 4, 8] {
                // The first act cannot end before the fault has happened.
                let gates = s.gates(&[hold(s.end_of(0), [event])]).with_trouble(event, Trouble::Fault, 1);
                let streamed = s.stream_through(&gates, &executor(threads));
                assert!(streamed.error.is_none(), "{event:?}, {threads} threads: {:?}", streamed.error);
                assert!(streamed.metrics.blocked > 0, "{event:?}, {threads} threads");
                let receipts: Vec<_> = streamed.finished.into_iter().map(|block| block.receipts).collect();
                let expected: Vec<_> = report.blocks.iter().map(|block| block.receipts.clone()).collect();
                assert_eq!(receipts, expected, "{event:?}, {threads} threads");
            }
        }
    }
}

#[test]
fn a_fault_that_lasts_is_a_fault_of_its_block_and_leaves_the_one_before() {
    for fork in FORKS {
        let (s, events) = setting(fork);
        let report = s.check_orders().report.valid();
        let id = s.blocks()[1].id();
        for event in events {
            for (threads, runs) in [1, 2, 4, 8].into_iter().flat_map(|n| [(n, false), (n, true)]) {
                let speculating = hold(s.end_of(0), [event]);
                // In a run, the first act would wait for what the same worker does later.
                let holds = if threads > 1 && !runs { vec![speculating] } else { vec![] };
                let gates = s.gates(&holds).with_trouble(event, Trouble::Fault, usize::MAX);
                let streamed = s.stream_in(&gates, &executor_with(threads, runs), runs);
                let how = format!("{event:?}, {threads} threads, runs: {runs}");
                match streamed.error {
                    Some(ExecutionError::Fault { block, .. }) => assert_eq!(block, id, "{how}"),
                    other => panic!("{how}: {other:?}"),
                }
                let [block] = &streamed.finished[..] else { panic!("{how}") };
                assert_eq!(block.receipts, report.blocks[0].receipts, "{how}");
                assert_eq!(block.state_changes(), report.blocks[0].changes, "{how}");
            }
        }
    }
}

#[test]
fn a_fault_behind_an_invalid_transaction_is_not_reported() {
    for fork in FORKS {
        let mut s = Scenario::new(fork);
        s.act([]);
        let user = s.user(0);
        s.tx(Tx::pay(user, at(900), 1).nonce(3));
        s.act([pays(at(901), 1)]);
        for (threads, runs) in [1, 2, 4, 8].into_iter().flat_map(|n| [(n, false), (n, true)]) {
            let event = Event::Read(at(901));
            let holds = if threads > 1 && !runs { vec![hold(s.end_of(0), [event])] } else { vec![] };
            let gates = s.gates(&holds).with_trouble(event, Trouble::Fault, usize::MAX);
            let error = s.stream_in(&gates, &executor_with(threads, runs), runs).error;
            assert!(matches!(error, Some(ExecutionError::Transaction { index: 1, .. })), "{error:?}");
        }
    }
}
