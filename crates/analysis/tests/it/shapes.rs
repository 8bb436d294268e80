//! Shapes of blocks, on traces made by hand.

use crate::common::{account, field, slot, step, trace};
use alloy_primitives::{Address, U256};
use tandem_analysis::{Feature, Shape, Spread};
use tandem_evm::{Field, Location, Observation, Read};

fn shape(steps: Vec<crate::common::Made>) -> Shape {
    Shape::of(&trace(vec![steps], false), 0)
}

#[test]
fn a_chain_counts_by_gas_and_distances_by_transactions() {
    // The third needs the first, the fifth the third; the last one needs two and lies one behind the later.
    let shape = shape(vec![
        step().changes(slot(1, 1)),
        step().changes(slot(1, 2)),
        step().changes(slot(1, 1)),
        step(),
        step().reads(slot(1, 1)).reads(slot(1, 2)).changes(slot(1, 3)),
        step().reads(slot(1, 1)).reads(slot(1, 3)),
    ]);
    let get = |feature| shape.get(feature).unwrap();
    assert_eq!(get(Feature::Transactions), 6.0);
    assert_eq!(get(Feature::Gas), 50_000.0);
    assert_eq!(get(Feature::Dependent), 0.5);
    assert_eq!(get(Feature::Distance), 5.0 / 3.0);
    assert_eq!(get(Feature::CriticalPath), 4.0 / 6.0);
    assert_eq!(get(Feature::SlotsChanged), 4.0 / 6.0);
    assert_eq!(get(Feature::SlotsRead), 8.0 / 6.0);
    assert_eq!(get(Feature::AccountDependent), 4.0 / 6.0);
}

#[test]
fn contracts_are_accounts_with_code() {
    let code = |number| Location { address: account(number), ..field(number, Field::Code) };
    let mut trace = trace(vec![Vec::new()], false);
    // Transactions made by hand are sent to account 0.
    for contracts in [vec![0, 7], vec![7], vec![0, 7], vec![]] {
        let reads: Vec<_> = contracts
            .into_iter()
            .map(|number| Read { location: code(number), relied: Observation::Exact(U256::ONE) })
            .collect();
        let index = trace.steps.len();
        let part = tandem_evm::StepPart::Transaction(index);
        trace.push_step(part, &reads, &[], Some(crate::common::transaction(9)), Default::default());
    }
    let shape = Shape::of(&trace, 0);
    assert_eq!(shape.get(Feature::BusiestRecipient), Some(0.5));
    assert_eq!(shape.get(Feature::BusiestThree), Some(0.5));
    assert_eq!(shape.get(Feature::HotContract), Some(0.75));
    assert_eq!(account(0), Address::ZERO);
}

#[test]
fn an_empty_block_has_no_averages() {
    let shape = shape(Vec::new());
    assert_eq!(shape.get(Feature::Transactions), Some(0.0));
    for feature in [Feature::Gas, Feature::Dependent, Feature::Distance, Feature::CriticalPath] {
        assert_eq!(shape.get(feature), None, "{feature:?}");
        assert_eq!(Spread::of(&[shape], feature), None);
    }
}

#[test]
fn a_spread_is_over_the_blocks_that_have_the_feature() {
    let of = |count: usize| shape((0..count).map(|_| step()).collect());
    let shapes = [of(4), of(0), of(2), of(8), of(6)];
    let spread = Spread::of(&shapes, Feature::Transactions).unwrap();
    assert_eq!((spread.low, spread.median, spread.high), (2.0, 4.0, 6.0));
    let spread = Spread::of(&shapes[..2], Feature::Transactions).unwrap();
    assert_eq!((spread.low, spread.median, spread.high), (1.0, 2.0, 3.0));
    let gas = Spread::of(&shapes[..2], Feature::Gas).unwrap();
    assert_eq!(gas.median, 50_000.0);
}
