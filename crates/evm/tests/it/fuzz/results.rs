//! What else blocks come with: revm's results and bundles.

use super::generate::generate;
use crate::common::rng::Rng;
use crate::common::state_over;
use crate::common::stores::SlowStore;
use crate::common::{apply, block_hash, with_executor};
use alloy_evm::{EthEvmFactory, Evm, EvmFactory};
use revm::DatabaseCommit;
use revm::context::result::{ExecutionResult, HaltReason};
use revm::primitives::hardfork::SpecId;
use tandem_evm::{AlloyExecutor, Block, PlainExecutor, StoreRef, bundle_difference};
use tandem_state::MemoryStore;

/// Results of a block's transactions, executed one by one by alloy-evm.
fn one_by_one(block: &Block, store: &MemoryStore) -> Vec<ExecutionResult> {
    let mut db = state_over(store, block.spec_id().is_enabled_in(SpecId::PRAGUE));
    let mut evm = EthEvmFactory::default().create_evm(&mut db, block.env().clone());
    (0..block.transaction_count())
        .map(|index| {
            let outcome = evm.transact(block.transaction(index).as_ref().clone()).unwrap();
            evm.db_mut().commit(outcome.state);
            outcome.result
        })
        .collect()
}

/// Without a precompile's own words, which alloy-evm does not hand on.
fn without_context(mut result: ExecutionResult) -> ExecutionResult {
    if let ExecutionResult::Halt { reason, .. } = &mut result
        && matches!(reason, HaltReason::PrecompileErrorWithContext(_))
    {
        *reason = HaltReason::PrecompileError;
    }
    result
}

#[test]
fn results_and_bundles_are_those_of_one_by_one() {
    let mut rng = Rng(50);
    let (mut results, mut bundles) = (0, 0);
    for number in 0..60 {
        let case = generate(number);
        let mut state = case.store();
        for (index, draft) in case.drafts().iter().enumerate() {
            let block = draft.build();
            let Ok(plain) = PlainExecutor::new().execute(&StoreRef(&state), &block) else { break };
            let bundle = AlloyExecutor::new().execute(&StoreRef(&state), &block).unwrap().bundle;
            let alone = block.clone().without_system_steps();
            let expected = PlainExecutor::new()
                .execute(&StoreRef(&state), &alone)
                .is_ok()
                .then(|| one_by_one(&alone, &state));
            for threads in [1, 2, 8] {
                let what = format!("block {index} of case {number} on {threads} threads");
                let store = SlowStore::new(&state, if rng.chance(50) { rng.next() } else { 0 }, &[]);
                let executor = with_executor(threads, 0);
                let found = executor.execute(&store, block.clone()).unwrap();
                assert!(found.results.is_empty(), "{what}");
                assert_eq!(bundle_difference(&found.bundle_state(), &bundle), None, "{what}");
                bundles += 1;
                let Some(expected) = &expected else { continue };
                let found = executor.call(&store, alone.clone()).keep_results().run().unwrap();
                let found: Vec<_> = found.results.into_iter().map(without_context).collect();
                let different = found.iter().zip(expected).position(|(one, other)| one != other);
                assert_eq!(found.len(), expected.len(), "{what}");
                let different = different.map(|at| (at, &found[at], &expected[at]));
                assert_eq!(different, None, "{what}");
                results += expected.len();
            }
            let changes = plain.state_changes(&StoreRef(&state)).unwrap();
            apply(&mut state, &changes);
            state.set_block_hash(block.header().number, block_hash(block.header().number));
        }
    }
    println!("{results} results, {bundles} bundles");
    assert!(results > 5_000 && bundles > 300, "{results} results, {bundles} bundles");
}
