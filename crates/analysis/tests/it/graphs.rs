//! Dependencies by each model.

use crate::common::{MILLISECOND, account, field, slot, step, trace};
use tandem_analysis::{Conflict, Edge, Graph, Hotspots, Model, StateKey, conflicts};
use tandem_evm::Field;

/// The steps that each step needs, without repetition.
fn needs(graph: &Graph) -> Vec<Vec<usize>> {
    let needs = |edges: &Vec<Edge>| {
        let mut on: Vec<_> = edges.iter().map(|edge| edge.on).collect();
        on.sort_unstable();
        on.dedup();
        on
    };
    graph.edges.iter().map(needs).collect()
}

#[test]
fn who_reads_a_slot_needs_the_last_one_who_changed_it() {
    let steps = vec![
        step().changes(slot(1, 7)),
        step().reads(slot(1, 7)),
        step().changes(slot(1, 7)),
        step().reads(slot(1, 7)).changes(slot(1, 8)),
        step().reads(slot(1, 9)),
    ];
    let trace = trace(vec![steps], false);
    for model in [Model::EagerBeneficiary, Model::Field, Model::LazyTransfers, Model::Delta] {
        let expected = [vec![], vec![0], vec![0], vec![2], vec![]];
        assert_eq!(needs(&Graph::new(&trace, model)), expected, "{model:?}");
    }
    let whole = needs(&Graph::new(&trace, Model::Account));
    assert_eq!(whole, [vec![], vec![0], vec![0], vec![2], vec![3]]);
}

#[test]
fn deltas_need_nothing_and_whoever_sees_the_balance_needs_all_of_them() {
    let balance = field(1, Field::Balance);
    let pay = || step().reads(field(1, Field::Code)).moves(balance, 5, 6);
    let trace = trace(vec![vec![pay(), pay(), step().reads(balance), pay()]], false);
    assert_eq!(needs(&Graph::new(&trace, Model::Delta)), [vec![], vec![], vec![0, 1], vec![]]);
    assert_eq!(needs(&Graph::new(&trace, Model::Field)), [vec![], vec![0], vec![1], vec![1]]);
}

#[test]
fn a_fee_is_a_conflict_only_where_it_is_read() {
    let fee = || step().moves(field(0xbb, Field::Balance), 5, 6);
    let trace = trace(vec![vec![fee(), fee(), fee()]], false);
    for model in [Model::Account, Model::Field, Model::LazyTransfers, Model::Delta] {
        assert_eq!(needs(&Graph::new(&trace, model)), vec![Vec::<usize>::new(); 3], "{model:?}");
    }
    assert_eq!(needs(&Graph::new(&trace, Model::EagerBeneficiary)), [vec![], vec![0], vec![1]]);
}

#[test]
fn a_bound_needs_only_those_without_whom_it_is_not_met() {
    let balance = field(1, Field::Balance);
    let steps = || {
        vec![
            step().moves(balance, 5, 12),
            step().moves(balance, 12, 20),
            step().bound(balance, 10),
            step().bound(balance, 5),
            step().bound(balance, 13),
        ]
    };
    let trace = trace(vec![steps()], false);
    assert_eq!(needs(&Graph::new(&trace, Model::Delta)), [vec![], vec![], vec![0], vec![], vec![0, 1]]);
}

#[test]
fn a_bound_looks_back_as_far_as_it_must() {
    let balance = field(1, Field::Balance);
    // The balance falls, rises above where it was, and falls a little: a step that needs it all needs the rise.
    let values = [9, 4, 2, 8, 12, 11, 12];
    let mut steps: Vec<_> = values.windows(2).map(|pair| step().moves(balance, pair[0], pair[1])).collect();
    // Without the steps from the last one on before which the balance was lower, it would be too low.
    for (bound, _) in BOUNDS {
        steps.push(step().bound(balance, bound));
    }
    let trace = trace(vec![steps], false);
    let needs = needs(&Graph::new(&trace, Model::Delta));
    for (at, (bound, count)) in BOUNDS.iter().enumerate() {
        assert_eq!(needs[6 + at], (0..*count).collect::<Vec<_>>(), "{bound}");
    }
}

/// Bounds, and how many of the six changes a step needs that relies on them.
const BOUNDS: [(u64, usize); 6] = [(2, 0), (3, 3), (8, 3), (9, 4), (11, 4), (12, 6)];

#[test]
fn steps_by_one_sender_who_can_pay_for_all_need_nothing() {
    let balance = field(1, Field::Balance);
    let count = 20_000;
    let pay = |left: u64| step().bound(balance, left - 1).moves(balance, left, left - 1);
    let trace = trace(vec![(0..count).map(|n| pay(2 * count - n)).collect()], false);
    let graph = Graph::new(&trace, Model::Delta);
    assert!(graph.edges.iter().all(Vec::is_empty));
}

#[test]
fn the_nonce_of_the_sender_is_predicted() {
    let nonce = field(9, Field::Nonce);
    let send = |sender| step().from(sender).changes(nonce);
    let trace = trace(vec![vec![send(9), send(9), send(8)]], false);
    assert_eq!(needs(&Graph::new(&trace, Model::Delta)), [vec![], vec![], vec![1]]);
    assert_eq!(needs(&Graph::new(&trace, Model::Field)), [vec![], vec![0], vec![1]]);
}

#[test]
fn only_consecutive_blocks_have_locations_in_common() {
    let blocks = || vec![vec![step().changes(slot(1, 7))], vec![step().changes(slot(1, 7))]];
    let linked = trace(blocks(), true);
    let graph = Graph::new(&linked, Model::Delta);
    assert_eq!(needs(&graph), [vec![], vec![0]]);
    assert!(graph.dependent(&linked).is_empty(), "nothing inside of a block");
    let strangers = trace(blocks(), false);
    assert_eq!(needs(&Graph::new(&strangers, Model::Delta)), vec![Vec::<usize>::new(); 2]);
}

#[test]
fn the_longest_chain_names_its_links() {
    let steps = vec![
        step().changes(slot(1, 7)),
        step().changes(slot(2, 7)),
        step().changes(slot(1, 7)),
        step().changes(slot(1, 7)),
    ];
    let mut trace = trace(vec![steps], false);
    let graph = Graph::new(&trace, Model::Delta);
    let chain: Vec<_> = graph.longest_chain(&trace, 0..4).iter().map(|(step, _)| *step).collect();
    assert_eq!(chain, [0, 2, 3]);
    assert_eq!(graph.longest_chain(&trace, 0..4)[1].1.map(|edge| edge.on), Some(0));
    trace.steps[1].time = 4 * MILLISECOND;
    let chain: Vec<_> = graph.longest_chain(&trace, 0..4).iter().map(|(step, _)| *step).collect();
    assert_eq!(chain, [1]);
}

#[test]
fn the_hottest_place_is_the_one_that_costs_most() {
    // Slot 8 has as many conflicts as slot 7, but its steps are on the way anyway.
    let mut steps: Vec<_> = (0..6).map(|_| step().changes(slot(1, 7))).collect();
    steps.extend((0..6).map(|_| step().changes(slot(2, 1)).changes(slot(2, 2))));
    let trace = trace(vec![steps.split_off(6), steps], false);
    let graph = Graph::new(&trace, Model::Delta);
    let hot = Hotspots::state_keys(&trace, &graph, Model::Delta, 16).hottest(3, &|| {});
    assert_eq!(hot[0].key, StateKey::from(slot(1, 7)));
    assert_eq!((hot[0].conflicts, hot[0].blocks.as_slice()), (5, [1].as_slice()));
    assert_eq!(hot[0].saved, 5 * MILLISECOND);
    assert!((hot[0].gain - 6.0).abs() < 1e-9);
    assert_eq!(hot[1].saved, std::time::Duration::ZERO);
}

#[test]
fn places_that_conflict_together_are_worth_something_together() {
    // A chain by two slots of one account and one of another: without a part of them it is a chain still.
    let chain = || step().changes(slot(1, 7)).changes(slot(1, 8)).changes(slot(2, 7));
    let mut steps: Vec<_> = (0..4).map(|_| chain()).collect();
    steps.extend((0..2).map(|_| step().changes(slot(3, 0))));
    let trace = trace(vec![steps], false);
    let graph = Graph::new(&trace, Model::Delta);
    let state_keys = Hotspots::state_keys(&trace, &graph, Model::Delta, 16);
    for hot in state_keys.hottest(4, &|| {}) {
        assert_eq!(hot.saved, std::time::Duration::ZERO, "{hot:?}");
    }
    let accounts = Hotspots::accounts(&trace, &graph, Model::Delta, 16);
    let hot: Vec<_> = accounts.hottest(3, &|| {}).iter().map(|hot| hot.key).collect();
    let together = accounts.together(&hot);
    let gains: Vec<_> = together.iter().map(|step| (step.gain, step.speed_up)).collect();
    // 4 ms are the chain's; without it 2 ms are the other chain's; 6 ms are all.
    assert_eq!(gains, [(1.0, 1.5), (2.0, 3.0), (4.0, 6.0)]);
    assert_eq!(together[2].key, account(3), "of no use before the others");
    assert!(accounts.together(&[]).is_empty());
}

#[test]
fn conflicts_are_those_within_a_block() {
    let trace = trace(
        vec![vec![step().changes(slot(1, 7))], vec![step().changes(slot(1, 7)), step().changes(slot(1, 7))]],
        true,
    );
    let graph = Graph::new(&trace, Model::Delta);
    let location = trace.find(slot(1, 7)).expect("it was met");
    let expected = Conflict { step: 2, edge: Edge { on: 1, location } };
    assert_eq!(conflicts(&trace, &graph).collect::<Vec<_>>(), [expected]);
}
