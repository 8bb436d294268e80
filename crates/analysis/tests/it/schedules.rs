//! How long it takes at best.

use crate::common::{MILLISECOND, slot, step, trace};
use tandem_analysis::{
    Graph, LOOK_AHEAD, Model, REPAIR_SHARE, as_stream, by_block, limit, makespan, speed_up,
};

#[test]
fn independent_steps_use_all_threads() {
    let trace = trace(vec![(0..8).map(|n| step().changes(slot(n, 0))).collect()], false);
    let graph = Graph::new(&trace, Model::Delta);
    for (threads, time) in [(1, 8), (2, 4), (3, 3), (8, 1), (64, 1)] {
        assert_eq!(by_block(&trace, &graph, Model::Delta, threads), time * MILLISECOND, "{threads}");
    }
}

#[test]
fn a_chain_takes_its_time_on_any_number_of_threads() {
    let trace = trace(vec![(0..5).map(|_| step().changes(slot(1, 0))).collect()], false);
    let graph = Graph::new(&trace, Model::Delta);
    for threads in [1, 2, 64] {
        assert_eq!(by_block(&trace, &graph, Model::Delta, threads), 5 * MILLISECOND);
    }
    let free = graph.without(|_| true);
    assert_eq!(by_block(&trace, &free, Model::Delta, 5), MILLISECOND);
    assert!((speed_up(trace.time(), MILLISECOND) - 5.0).abs() < 1e-9);
}

#[test]
fn a_stream_does_not_wait_for_the_end_of_a_block() {
    // Two blocks that follow one another by no location: a chain each.
    let chain = |address| (0..3).map(|_| step().changes(slot(address, 0))).collect::<Vec<_>>();
    let trace = trace(vec![chain(1), chain(2)], true);
    let graph = Graph::new(&trace, Model::Delta);
    assert_eq!(by_block(&trace, &graph, Model::Delta, 2), 6 * MILLISECOND);
    assert_eq!(as_stream(&trace, &graph, Model::Delta, 2, LOOK_AHEAD), 3 * MILLISECOND);
    assert_eq!(as_stream(&trace, &graph, Model::Delta, 2, 1), 6 * MILLISECOND);
}

#[test]
fn a_repair_costs_its_share_once_what_it_needs_is_there() {
    let mut trace = trace(vec![(0..3).map(|_| step().changes(slot(1, 0))).collect()], false);
    let graph = Graph::new(&trace, Model::DeltaRepair);
    let time = |trace: &_, threads| makespan(trace, &graph, Model::DeltaRepair, 0..3, threads, LOOK_AHEAD);
    assert_eq!(time(&trace, 3), 3 * MILLISECOND);
    trace.steps.iter_mut().for_each(|step| step.keeps_path = true);
    let share = MILLISECOND.mul_f64(REPAIR_SHARE);
    assert_eq!(time(&trace, 3), MILLISECOND + 2 * share);
    // In order, nothing is ever stale.
    assert_eq!(time(&trace, 1), 3 * MILLISECOND);
}

#[test]
fn the_limit_is_the_work_of_each_thread_or_the_longest_chain() {
    // A chain of three, and four steps by themselves.
    let chain = (0..3).map(|_| step().changes(slot(1, 0)));
    let steps = chain.chain((2..6).map(|n| step().changes(slot(n, 0)))).collect();
    let trace = trace(vec![steps], false);
    let graph = Graph::new(&trace, Model::Delta);
    for (threads, time) in
        [(1, 7 * MILLISECOND), (2, 7 * MILLISECOND / 2), (3, 3 * MILLISECOND), (64, 3 * MILLISECOND)]
    {
        assert_eq!(limit(&trace, &graph, 0..7, threads), time, "{threads}");
        assert!(by_block(&trace, &graph, Model::Delta, threads) >= time, "no schedule is better");
    }
    // Of a part of the steps, only what is in it counts.
    assert_eq!(limit(&trace, &graph, 2..7, 64), MILLISECOND);
}

#[test]
fn nothing_takes_no_time() {
    let trace = trace(vec![vec![]], false);
    let graph = Graph::new(&trace, Model::Delta);
    assert!(by_block(&trace, &graph, Model::Delta, 4).is_zero());
    assert!(graph.longest_chain(&trace, 0..0).is_empty());
}
