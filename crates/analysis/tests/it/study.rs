//! Dispatchers on traces made by hand.

use crate::common::{account, slot, step, trace};
use alloy_primitives::U256;
use tandem_analysis::{Confirmation, Dispatch, StudyResult, Variant, study};

const PLAIN: Variant = Variant {
    dispatch: Dispatch::Idle,
    whole_accounts: false,
    no_op_writes: false,
    reverted_writes: false,
    confirmation: Confirmation::Pipeline,
};

fn assert_close(found: StudyResult, conflicts: f64, speed_up: f64) {
    let close = |a: f64, b: f64| (a - b).abs() < 1e-9;
    assert!(close(found.conflicts, conflicts) && close(found.speed_up, speed_up), "{found:?}");
}

#[test]
fn the_same_recipient_goes_to_the_same_slot() {
    let trace = trace(vec![(0..4).map(|_| step().changes(slot(1, 0))).collect()], false);
    // A transaction that starts while another one is in flight sees too little: all but the first do.
    assert_close(study(&trace, PLAIN, 2), 0.75, 1.0);
    let same = Variant { dispatch: Dispatch::SameAddress, ..PLAIN };
    assert_close(study(&trace, same, 2), 0.0, 1.0);
}

#[test]
fn two_slots_of_an_account_conflict_only_as_an_account() {
    let trace = trace(vec![vec![step().changes(slot(1, 0)), step().changes(slot(1, 1))]], false);
    assert_close(study(&trace, PLAIN, 2), 0.0, 2.0);
    assert_close(study(&trace, Variant { whole_accounts: true, ..PLAIN }, 2), 0.5, 1.0);
}

#[test]
fn stores_without_a_change_conflict_only_where_they_count() {
    for success in [true, false] {
        let steps = vec![step().reads(slot(1, 0)), step().reads(slot(1, 0))];
        let mut trace = trace(vec![steps], false);
        for step in &mut trace.steps {
            let transaction = step.transaction.as_mut().expect("a transaction");
            transaction.success = success;
            step.notes.stores = vec![(account(1), U256::ZERO)];
        }
        assert_close(study(&trace, PLAIN, 2), 0.0, 2.0);
        let no_ops = Variant { no_op_writes: true, ..PLAIN };
        assert_eq!(study(&trace, no_ops, 2).conflicts > 0.0, success);
        let reverted = Variant { reverted_writes: true, ..PLAIN };
        assert_eq!(study(&trace, reverted, 2).conflicts > 0.0, !success);
    }
}

#[test]
fn a_stream_does_not_wait_for_confirmation() {
    let mut trace = trace(vec![(0..4).map(|n| step().changes(slot(n, 0))).collect()], false);
    // The first one takes as long as the other three.
    trace.steps[0].time *= 3;
    assert_close(study(&trace, Variant { confirmation: Confirmation::Streaming, ..PLAIN }, 2), 0.0, 2.0);
    assert!(study(&trace, PLAIN, 2).speed_up < 1.9);
}
