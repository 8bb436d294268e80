//! Tipsets through the reference and through parallel execution, each on a store of its own.

use std::sync::{Arc, OnceLock};

use tandem_fevm::workload::{Fixed, World};
use tandem_fevm::{Config, Engines, Executor, MemoryStore, Step, TipsetResult, reference};

/// A world twice: what one execution forgets to write, the other does not write for it.
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

    pub(crate) fn execute(&self, executor: &Executor, steps: &[Step]) -> TipsetResult {
        let World { context, store, .. } = &self.world;
        executor.execute(context, store, &Fixed, steps).expect("an execution")
    }
}
