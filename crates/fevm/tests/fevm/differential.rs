//! Random messages, through the reference and in parallel: everything that consensus depends on is compared.

use super::common::{self, Pair, TIPSET, messages, seed};
use super::process;
use tandem_fevm::workload::{Chance, Mix, Workload, World};
use tandem_fevm::{Config, Conflict, Executor, Stats};

/// Messages to try in each configuration.
const MESSAGES: usize = 2_000;

fn compare(name: &str, executor: impl FnOnce(&Pair) -> Executor) -> Stats {
    let world = || process::world("random").expect("a world");
    let tipsets = |seed| {
        let mut mix = Mix::new(seed);
        move |world: &mut World| mix.tipset(world, TIPSET)
    };
    common::compare((name, messages(MESSAGES)), executor, world, tipsets, |_, _| ())
}

#[test]
fn random_messages_in_lockstep() {
    let mut stats = Stats::default();
    for width in [2, 16, TIPSET] {
        let executor = |pair: &Pair| pair.executor(Config::new(2).lockstep(width));
        stats.add(&compare(&format!("lockstep {width}"), executor));
    }
    assert!(stats.kept > 0 && stats.merged > 0);
    for conflict in Conflict::ALL {
        assert!(stats.conflicts[conflict as usize] > 0, "no conflict: {}", conflict.name());
    }
}

/// Conflicts are a matter of timing; in so many messages all kinds happen.
fn assert_everything_happened(stats: &Stats) {
    assert!(stats.kept > 0);
    if messages(MESSAGES) >= 100_000 {
        assert!(stats.merged > 0);
        for conflict in Conflict::ALL {
            assert!(stats.conflicts[conflict as usize] > 0, "no conflict: {}", conflict.name());
        }
    }
}

#[test]
fn random_messages_on_one_two_and_four_threads() {
    for threads in [1, 2, 4] {
        let config = Config::new(threads).hints(false);
        let stats = compare(&format!("{threads} threads"), |pair| pair.executor(config));
        match threads {
            1 => assert_eq!(stats.kept, 0),
            _ => assert_everything_happened(&stats),
        }
    }
}

/// As it executes by default: messages that conflict are soon left to their turn.
#[test]
fn random_messages_that_conflict_wait() {
    for (threads, processes) in [(2, 0), (1, 1)] {
        let name = format!("{threads} threads and {processes} processes that learn");
        compare(&name, |pair| pair.executor_with(Config::new(threads), processes, &["random"]));
    }
}

#[test]
fn random_messages_with_worker_processes() {
    for (threads, processes) in [(1, 1), (1, 3), (2, 2)] {
        let name = format!("{threads} threads and {processes} processes");
        let config = Config::new(threads).hints(false);
        let stats = compare(&name, |pair| pair.executor_with(config, processes, &["random"]));
        assert!(stats.by_processes > 0);
        assert_everything_happened(&stats);
    }
}

fn every_workload(executor: impl Fn(&Pair, Workload) -> Executor) {
    for workload in Workload::ALL {
        let mut pair = Pair::new(workload.world().expect("a world"));
        let executor = executor(&pair, workload);
        let mut chance = Chance::new(seed());
        for _ in 0..2 {
            let steps = workload.tipset(&mut pair.world, 60, &mut chance);
            let expected = pair.reference(&steps);
            let result = pair.execute(&executor, &steps);
            if let Err(difference) = result.compare(&expected) {
                panic!("{}: {difference}", workload.name());
            }
            pair.world.advance(result.root);
        }
    }
}

#[test]
fn every_workload_on_threads() {
    every_workload(|pair, _| pair.executor(Config::new(2)));
}

#[test]
fn every_workload_with_a_worker_process() {
    every_workload(|pair, workload| pair.executor_with(Config::new(1), 1, &[workload.name()]));
}
