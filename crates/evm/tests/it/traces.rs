//! What a trace says of steps is what they did.

use crate::common::asm::{asm, num};
use crate::common::contracts::counter;
use crate::common::{Fork, Scenario, Tx, at, with_executor};
use alloy_primitives::{Address, B256, U256, keccak256};
use revm::bytecode::opcode as op;
use std::collections::HashMap;
use tandem_evm::{
    BlockInput, Cut, Field, Location, Observation, StepPart, StepTrace, StorageNotes, StorageTracing,
    StoreRef,
};

const COUNTER: u64 = 1;
const RECIPIENT: u64 = 2;
const HASHER: u64 = 3;
const REVERTER: u64 = 4;

fn scenario() -> Scenario {
    let mut s = Scenario::new(Fork::Prague);
    s.contract(at(COUNTER), &counter(), 0);
    // Keeps 5 at the hash of the words 1 and 2, where it was before.
    let hasher = asm().mstore(0, num(1)).mstore(32, num(2)).push(U256::from(5));
    let hasher = hasher.then(num(64)).then(num(0)).op(op::KECCAK256).op(op::SSTORE).op(op::STOP);
    s.contract(at(HASHER), &hasher.build(), 0);
    s.store.set_storage(at(HASHER), hashed().into(), U256::from(5));
    s.contract(at(REVERTER), &asm().sstore(num(7), num(8)).revert().build(), 0);
    for block in 0..2 {
        for n in 0..6 {
            let user = s.user(n);
            s.tx(Tx::call(user, at(COUNTER)));
            s.tx(Tx::pay(user, at(RECIPIENT), 3));
            s.tx(Tx::call(user, at(HASHER)));
            s.tx(Tx::call(user, at(REVERTER)));
        }
        if block == 0 {
            s.next_block();
        }
    }
    s
}

fn hashed() -> B256 {
    let words = [U256::from(1), U256::from(2)].map(|word| word.to_be_bytes::<32>());
    keccak256(words.concat())
}

fn traced(s: &Scenario, threads: usize) -> Vec<StepTrace> {
    noted(s, threads).0
}

/// Steps, and what their transactions stored and hashed.
fn noted(s: &Scenario, threads: usize) -> (Vec<StepTrace>, Vec<StorageNotes>) {
    let executor = with_executor(threads, 0);
    let store = &StoreRef(&s.store);
    let blocks: Vec<_> = s.blocks().into_iter().map(|block| BlockInput::new(block, store)).collect();
    let mut steps = Vec::new();
    let expected = crate::common::stream(&executor, &s.blocks(), store, Cut::Never).finished;
    let (finished, _) = executor
        .stream(blocks)
        .trace_steps(|step| steps.push(step))
        .inspect(&StorageTracing)
        .run(|finished| finished.map(Result::unwrap).collect::<Vec<_>>());
    let notes = finished.iter().flat_map(|block| block.traces.clone()).collect();
    assert_eq!(finished.len(), expected.len());
    for (found, expected) in finished.iter().map(|inspected| &inspected.block).zip(&expected) {
        assert_eq!(found.receipts, expected.receipts);
        assert_eq!(found.state_changes(), expected.state_changes());
    }
    (steps, notes)
}

fn location(address: Address, field: Field) -> Location {
    Location { world: 0, address, field }
}

fn slot(number: impl TryInto<U256>) -> Field {
    Field::Slot { slot: number.try_into().ok().unwrap(), generation: 0 }
}

#[test]
fn reads_and_writes_follow_from_one_another() {
    for threads in [1, 4] {
        let mut state = HashMap::<Location, U256>::new();
        for step in traced(&scenario(), threads) {
            for read in &step.reads {
                let Some(value) = state.get(&read.location) else { continue };
                assert!(read.relied.holds(value), "{threads} threads: {read:?} of {value}");
            }
            for write in &step.writes {
                assert_ne!(write.before, write.after);
                let before = state.insert(write.location, write.after);
                assert!(before.is_none_or(|before| before == write.before), "{threads} threads: {write:?}");
            }
        }
        assert_eq!(state[&location(at(RECIPIENT), Field::Balance)], U256::from(36));
        assert_eq!(state[&location(at(COUNTER), slot(0))], U256::from(12));
    }
}

#[test]
fn one_thread_tells_what_each_transaction_relied_on() {
    let steps = traced(&scenario(), 1);
    // A start, transactions, an end, for each of the two blocks.
    assert_eq!(steps.len(), 2 * (1 + 24 + 1));
    assert_eq!((steps[0].part, steps[25].part), (StepPart::Start, StepPart::End));
    let count = &steps[5];
    assert_eq!(count.part, StepPart::Transaction(4));
    let counter = location(at(COUNTER), slot(0));
    let read = count.reads.iter().find(|read| read.location == counter).unwrap();
    assert_eq!(read.relied, Observation::Exact(U256::from(1)));
    let write = count.writes.iter().find(|write| write.location == counter).unwrap();
    assert_eq!((write.before, write.after, write.is_delta), (U256::from(1), U256::from(2), false));

    let pay = &steps[6];
    let recipient = location(at(RECIPIENT), Field::Balance);
    assert!(pay.writes.iter().any(|write| write.location == recipient && write.is_delta));
    let sender = location(pay.transaction.as_ref().unwrap().sender, Field::Balance);
    let funds = pay.reads.iter().find(|read| read.location == sender).unwrap();
    assert!(matches!(funds.relied, Observation::AtLeast(_)), "{funds:?}");
}

#[test]
fn stores_and_hashes_are_noted_even_if_they_change_nothing() {
    let (steps, notes) = noted(&scenario(), 1);
    // The first step is none of a transaction.
    let [hasher, reverter] = [&notes[2], &notes[3]];
    let words = [U256::from(1), U256::from(2)].map(B256::from);
    assert_eq!(hasher.hashed, [(hashed(), words[0], words[1])]);
    assert_eq!(hasher.stores, [(at(HASHER), hashed().into())]);
    assert!(steps[3].writes.iter().all(|write| write.location.address != at(HASHER)));
    assert!(!steps[4].transaction.as_ref().unwrap().success);
    assert_eq!(reverter.stores, [(at(REVERTER), U256::from(7))]);
}
