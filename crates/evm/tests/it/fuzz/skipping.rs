//! Blocks full of transactions that are invalid where they stand: left out, in parallel as one by one.

use super::generate::generate;
use crate::common::rng::Rng;
use crate::common::stores::SlowStore;
use crate::common::{Draft, apply, block_hash, with_executor};
use std::collections::BTreeMap;
use tandem_evm::{PlainExecutor, Skipped, StoreRef};

/// Spoils a block: some transactions go, come twice or change places, and the gas may not suffice for all.
fn spoil(draft: &mut Draft, rng: &mut Rng) {
    let transactions = &mut draft.transactions;
    for _ in 0..1 + transactions.len() / 6 {
        if transactions.is_empty() {
            return;
        }
        let (one, other) = (rng.below(transactions.len() as u64), rng.below(transactions.len() as u64));
        match rng.below(4) {
            0 => drop(transactions.remove(one as usize)),
            1 => transactions.insert(other as usize, transactions[one as usize].clone()),
            _ => transactions.swap(one as usize, other as usize),
        }
    }
    if rng.chance(40) {
        draft.header.gas_limit = 100_000 + rng.below(4_000_000);
    }
}

#[test]
fn what_is_left_of_spoiled_blocks_is_what_one_by_one_leaves() {
    let mut rng = Rng(16);
    let (mut taken, mut left_out) = (0, BTreeMap::<String, u64>::new());
    for number in 0..100 {
        let case = generate(number);
        let mut state = case.store();
        for (index, mut draft) in case.drafts().into_iter().enumerate() {
            spoil(&mut draft, &mut rng);
            let block = draft.build();
            let Ok(expected) = PlainExecutor::new().execute_skipping(&StoreRef(&state), &block) else {
                break;
            };
            let changes = expected.state_changes(&StoreRef(&state)).unwrap();
            for threads in [1, 2, 4, 8] {
                let store = SlowStore::new(&state, if rng.chance(50) { rng.next() } else { 0 }, &[]);
                let found =
                    with_executor(threads, 0).call(&store, block.clone()).skip_invalid().run().unwrap();
                let what = format!("block {index} of case {number} on {threads} threads");
                assert_eq!(found.receipts, expected.receipts, "{what}");
                assert_eq!(found.gas_used, expected.gas_used, "{what}");
                assert_eq!(found.summary, expected.summary, "{what}");
                assert!(found.state_changes() == changes, "{what}: other changes");
                // Of several reasons the engine may name another one.
                let indices = |skipped: &[(usize, Skipped)]| -> Vec<_> {
                    skipped.iter().map(|(index, _)| *index).collect()
                };
                assert_eq!(indices(&found.skipped), indices(&expected.skipped), "{what}");
            }
            taken += expected.receipts.len();
            for (_, why) in &expected.skipped {
                let words = why.to_string();
                let reason = words.split(|c: char| c.is_ascii_digit()).next().unwrap();
                *left_out.entry(reason.to_owned()).or_default() += 1;
            }
            apply(&mut state, &changes);
            state.set_block_hash(block.header().number, block_hash(block.header().number));
        }
    }
    println!("{taken} transactions taken, left out: {left_out:#?}");
    assert!(taken > 2_000 && left_out.len() > 6, "{taken}, {left_out:?}");
}
