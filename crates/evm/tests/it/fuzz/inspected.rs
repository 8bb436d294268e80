//! Inspectors see what they see where transactions are executed one by one, however often they are executed.

use super::generate::generate;
use crate::common::rng::Rng;
use crate::common::stores::SlowStore;
use crate::common::tracer::{Look, first_difference, whole_traces};
use crate::common::{apply, block_hash, with_executor};
use alloy_eips::eip2935::HISTORY_STORAGE_ADDRESS;
use alloy_eips::eip4788::BEACON_ROOTS_ADDRESS;
use revm::primitives::hardfork::SpecId;
use serde_json::Value;
use tandem_evm::{AlloyExecutor, Block, BlockInput, InspectedBlock, PlainExecutor, StoreRef};

#[test]
fn traces_are_those_of_one_by_one() {
    let mut rng = Rng(44);
    let (mut traced, mut conflicts) = (0, 0);
    for number in 0..20 {
        let case = generate(number);
        let mut state = case.store();
        for (index, draft) in case.drafts().iter().enumerate() {
            let block = draft.build().without_system_steps();
            let Ok(expected) = PlainExecutor::new().execute(&StoreRef(&state), &block) else { break };
            assert_eq!(AlloyExecutor::may_differ(&block), None);
            for look in [Look::Nowhere, Look::AtTheEnd, Look::AtBothEnds] {
                let tracers = whole_traces(look);
                let serial = tracers.serially(&block, &state);
                for threads in [1, 8] {
                    let store = SlowStore::new(&state, if rng.chance(60) { rng.next() } else { 0 }, &[]);
                    let input = BlockInput::new(block.clone(), &store);
                    let (blocks, metrics) = with_executor(threads, 0)
                        .stream([input])
                        .inspect(&tracers)
                        .run(|blocks| blocks.map(Result::unwrap).collect::<Vec<_>>());
                    let what = format!("block {index} of case {number}, {threads} threads, {look:?}");
                    assert_eq!(blocks[0].block.receipts, expected.receipts, "{what}");
                    assert_eq!(blocks[0].traces.len(), serial.len(), "{what}");
                    for (position, (one, other)) in blocks[0].traces.iter().zip(&serial).enumerate() {
                        let difference = first_difference(one, other);
                        assert_eq!(difference, None, "{what}, transaction {position}");
                    }
                    traced += serial.len();
                    conflicts += metrics.conflicts;
                }
            }
            let changes = expected.state_changes(&StoreRef(&state)).unwrap();
            apply(&mut state, &changes);
            state.set_block_hash(block.header().number, block_hash(block.header().number));
        }
    }
    println!("{traced} traces, {conflicts} conflicts");
    assert!(traced > 3_000 && conflicts > 500, "{traced} traces, {conflicts} conflicts");
}

#[test]
fn a_block_from_its_environment_is_the_block_without_system_steps() {
    let mut transactions = 0;
    for number in 0..60 {
        let case = generate(number);
        let state = case.store();
        let Some(block) = case.drafts().first().map(|draft| draft.build().without_system_steps()) else {
            continue;
        };
        let count = block.transaction_count();
        let txs = (0..count).map(|index| block.transaction(index).as_ref().clone());
        let (chain, parent) = (block.protocol(), block.header().parent_hash);
        let from_env = Block::from_env(chain, block.env().clone(), parent, txs);
        let executor = with_executor(2, 0);
        let expected = executor.execute(&StoreRef(&state), block.clone());
        match (executor.execute(&StoreRef(&state), from_env), expected) {
            (Ok(found), Ok(expected)) => {
                // The types of receipts are those of the transactions.
                assert_eq!(found.receipts, expected.receipts, "case {number}");
                assert!(found.state_changes() == expected.state_changes(), "case {number}");
                transactions += count;
            }
            (found, expected) => assert_eq!(found.is_ok(), expected.is_ok(), "case {number}"),
        }
    }
    assert!(transactions > 1_000, "{transactions} transactions");
}

#[test]
fn what_happens_before_the_first_transaction_is_in_no_trace() {
    let contracts = [BEACON_ROOTS_ADDRESS, HISTORY_STORAGE_ADDRESS].map(|address| format!("{address:?}"));
    let tracers = whole_traces(Look::AtTheEnd);
    let mut looked_at = 0;
    for number in 0..60 {
        let case = generate(number);
        let state = case.store();
        let block = case.drafts().first().unwrap().build();
        if block.spec_id() < SpecId::CANCUN || block.transaction_count() == 0 {
            continue;
        }
        let store = StoreRef(&state);
        let [with, without] = [block.clone(), block.without_system_steps()]
            .map(|block| with_executor(1, 0).call(&store, block).inspect(&tracers).run());
        let (Ok(with), Ok(without)) = (with, without) else { continue };
        for contract in &contracts {
            let is_in = |block: &InspectedBlock<Value>| block.traces[0]["accounts"].get(contract).is_some();
            assert!(!is_in(&with) || is_in(&without), "case {number}: {contract}");
            looked_at += 1;
        }
    }
    assert!(looked_at > 5, "{looked_at}");
}
