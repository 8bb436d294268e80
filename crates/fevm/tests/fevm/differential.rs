//! Random messages, through the reference and in parallel: everything that consensus depends on is compared.

use super::common::Pair;
use fvm_shared::error::ExitCode;
use tandem_fevm::workload::{Chance, Mix, Workload, World};
use tandem_fevm::{Config, Conflict, Stats};

/// Messages to try in each configuration. `TANDEM_FEVM_MESSAGES` asks for more.
fn messages() -> usize {
    let asked = std::env::var("TANDEM_FEVM_MESSAGES").ok();
    asked.map_or(2_000, |asked| asked.parse().expect("a number"))
}

/// The first seed. `TANDEM_FEVM_SEED` asks for another.
fn seed() -> u64 {
    let asked = std::env::var("TANDEM_FEVM_SEED").ok();
    asked.map_or(1, |asked| asked.parse().expect("a number"))
}

const TIPSET: usize = 250;

fn compare(name: &str, config: Config) -> Stats {
    let world = || World::new(40, 6, 150).expect("a world");
    let mut pair = Pair::new(world());
    let executor = pair.executor(config);
    let mut mix = Mix::new(seed());
    let mut stats = Stats::default();
    let (mut done, mut failed) = (0, 0);
    while done < messages() {
        if done > 0 && done % (TIPSET * 8) == 0 {
            pair.renew(world());
            mix = Mix::new(seed() + done as u64);
        }
        let steps = mix.tipset(&mut pair.world, TIPSET);
        let expected = pair.reference(&steps);
        let result = pair.execute(&executor, &steps);
        if let Err(difference) = result.compare(&expected) {
            panic!("{name}, after {done} messages: {difference}");
        }
        failed += result.results.iter().filter(|r| r.receipt.exit_code != ExitCode::OK).count();
        stats.add(&result.stats);
        pair.world.advance(result.root);
        done += TIPSET;
    }
    let causes = Conflict::ALL.map(|conflict| (conflict.name(), stats.conflicts[conflict as usize]));
    println!(
        "{name}: {done} messages, {failed} failed, {} at their turn, {} kept, {} merged, {} executed again, {causes:?}, 0 differences",
        stats.at_turn,
        stats.kept,
        stats.merged,
        stats.reexecuted(),
    );
    stats
}

#[test]
fn random_messages_in_lockstep() {
    let mut stats = Stats::default();
    for width in [2, 16, TIPSET] {
        stats.add(&compare(&format!("lockstep {width}"), Config::new(2).lockstep(width)));
    }
    assert!(stats.kept > 0 && stats.merged > 0);
    for conflict in Conflict::ALL {
        assert!(stats.conflicts[conflict as usize] > 0, "no conflict: {}", conflict.name());
    }
}

#[test]
fn random_messages_on_one_two_and_four_threads() {
    for threads in [1, 2, 4] {
        let stats = compare(&format!("{threads} threads"), Config::new(threads));
        assert_eq!(threads > 1, stats.kept > 0);
        // With threads, what happens is a matter of timing; in so many messages everything does.
        if threads > 1 && messages() >= 100_000 {
            assert!(stats.merged > 0);
            for conflict in Conflict::ALL {
                assert!(stats.conflicts[conflict as usize] > 0, "no conflict: {}", conflict.name());
            }
        }
    }
}

#[test]
fn every_workload() {
    for workload in Workload::ALL {
        let mut pair = Pair::new(workload.world().expect("a world"));
        let executor = pair.executor(Config::new(2));
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
