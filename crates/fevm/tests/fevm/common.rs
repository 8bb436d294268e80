//! Tipsets through the reference and through parallel execution, each on a store of its own.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use fvm_shared::error::ExitCode;
use tandem_fevm::workload::{Fixed, World};
use tandem_fevm::{
    Config, Conflict, Engines, Executor, MemoryStore, Stats, Step, TipsetResult, WorkerCommand, reference,
};

/// A world twice: neither execution can write a block that the other one forgot.
pub(crate) struct Pair {
    pub(crate) world: World,
    reference: Arc<MemoryStore>,
}

/// Compiled once for all tests of a file.
pub(crate) fn engines() -> &'static Engines {
    static ENGINES: OnceLock<Engines> = OnceLock::new();
    ENGINES.get_or_init(|| {
        let world = World::new(1, 0, 0).expect("a world");
        Engines::new(&world.context.network, 4).expect("engines")
    })
}

impl Pair {
    pub(crate) fn new(world: World) -> Self {
        Self { reference: Arc::new(world.store.copy()), world }
    }

    /// Another world, the same compiled actors.
    pub(crate) fn renew(&mut self, world: World) {
        self.reference = Arc::new(world.store.copy());
        self.world = world;
    }

    pub(crate) fn reference(&self, steps: &[Step]) -> TipsetResult {
        let (pool, store) = (engines().pool(), Arc::clone(&self.reference));
        reference::execute(pool, &self.world.context, store, Fixed, steps).expect("the reference")
    }

    pub(crate) fn executor(&self, config: Config) -> Executor {
        let config = config.contracts([self.world.evm]);
        Executor::new(engines(), config).expect("an executor")
    }

    /// With worker processes that are ready.
    pub(crate) fn executor_with(&self, config: Config, processes: usize, words: &[&str]) -> Executor {
        let executor = self.executor(config.processes(processes, worker(words)));
        let ready = executor.prepare(&self.world.context, Duration::from_secs(60));
        assert_eq!((ready, executor.lost()), (processes, Vec::new()));
        executor
    }

    pub(crate) fn execute(&self, executor: &Executor, steps: &[Step]) -> TipsetResult {
        let World { context, store, .. } = &self.world;
        executor.execute(context, store, &Fixed, steps).expect("an execution")
    }
}

/// This program as a worker process, told what to do by words of its own (`process.rs`).
pub(crate) fn worker(words: &[&str]) -> WorkerCommand {
    let program = std::env::current_exe().expect("a path");
    let test = ["--exact", "process::be_a_worker", "--ignored", "--nocapture"];
    WorkerCommand::new(program).args(test).args(words)
}

/// Messages to try in each configuration. `TANDEM_FEVM_MESSAGES` asks for more.
pub(crate) fn messages(unless_asked: usize) -> usize {
    let asked = std::env::var("TANDEM_FEVM_MESSAGES").ok();
    asked.map_or(unless_asked, |asked| asked.parse().expect("a number"))
}

/// The first seed. `TANDEM_FEVM_SEED` asks for another.
pub(crate) fn seed() -> u64 {
    let asked = std::env::var("TANDEM_FEVM_SEED").ok();
    asked.map_or(1, |asked| asked.parse().expect("a number"))
}

pub(crate) const TIPSET: usize = 250;

/// Executes random tipsets in both ways, and says how messages became final. `world` makes worlds, `tipsets` what makes tipsets from
/// a seed; a new world comes every eight tipsets. `see` gets what was executed, and what came of it.
pub(crate) fn compare<T: FnMut(&mut World) -> Vec<Step>>(
    (name, messages): (&str, usize),
    executor: impl FnOnce(&Pair) -> Executor,
    world: impl Fn() -> World,
    tipsets: impl Fn(u64) -> T,
    mut see: impl FnMut(&[Step], &TipsetResult),
) -> Stats {
    let mut pair = Pair::new(world());
    let executor = executor(&pair);
    let mut tipset = tipsets(seed());
    let mut stats = Stats::default();
    let (mut done, mut failed) = (0, 0);
    while done < messages {
        if done > 0 && done % (TIPSET * 8) == 0 {
            pair.renew(world());
            tipset = tipsets(seed() + done as u64);
        }
        let steps = tipset(&mut pair.world);
        let expected = pair.reference(&steps);
        let result = pair.execute(&executor, &steps);
        if let Err(difference) = result.compare(&expected) {
            panic!("{name}, after {done} messages: {difference}");
        }
        failed += result.results.iter().filter(|r| r.receipt.exit_code != ExitCode::OK).count();
        see(&steps, &result);
        stats.add(&result.stats);
        pair.world.advance(result.root);
        done += steps.len();
    }
    assert_eq!(executor.lost(), Vec::<String>::new());
    let causes = Conflict::ALL.map(|conflict| (conflict.name(), stats.conflicts[conflict as usize]));
    println!(
        "{name}: {done} messages, {failed} failed, {} at their turn, {} kept, {} by processes, {} merged, {} executed again, {causes:?}, 0 differences",
        stats.at_turn,
        stats.kept,
        stats.by_processes,
        stats.merged,
        stats.reexecuted(),
    );
    stats
}
