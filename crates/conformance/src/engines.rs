use crate::outcome::Work;
use crate::slow::SlowReads;
use parking_lot::Mutex;
use tandem_evm::revm::database_interface::DatabaseRef;
use tandem_evm::{
    BlockInput, Config, ConfigError, Cut, ExecutionError, Executor, FinishedBlock, PlainExecutor,
};

/// Executors for whoever needs one, made as needed and used again and again.
///
/// Tests run side by side, each on an executor of its own with few threads.
#[derive(Debug)]
pub(crate) struct Engines {
    config: Config,
    slow_reads: bool,
    idle: Mutex<Vec<Engine>>,
    work: Mutex<Work>,
}

/// An executor, with the plain loop to compare it with.
#[derive(Debug)]
pub(crate) struct Engine {
    executor: Executor,
    pub(crate) plain: PlainExecutor,
    slow_reads: bool,
    /// What the engine did so far.
    work: Work,
}

impl Engines {
    /// Executors with `threads` worker threads each.
    pub(crate) fn new(threads: usize, slow_reads: bool) -> Result<Self, ConfigError> {
        let engines = Self {
            config: Config::default().threads(threads),
            slow_reads,
            idle: Mutex::default(),
            work: Mutex::default(),
        };
        // One to begin with, so that a bad setting shows.
        let first = engines.make()?;
        engines.idle.lock().push(first);
        Ok(engines)
    }

    fn make(&self) -> Result<Engine, ConfigError> {
        let executor = Executor::new(&self.config)?;
        let (plain, slow_reads) = (PlainExecutor::new(), self.slow_reads);
        Ok(Engine { executor, plain, slow_reads, work: Work::default() })
    }

    /// Lends an engine to `user`.
    pub(crate) fn with<R>(&self, user: impl FnOnce(&mut Engine) -> R) -> Result<R, ConfigError> {
        let idle = self.idle.lock().pop();
        let mut engine = idle.map_or_else(|| self.make(), Ok)?;
        let result = user(&mut engine);
        self.work.lock().merge(&std::mem::take(&mut engine.work));
        self.idle.lock().push(engine);
        Ok(result)
    }

    /// What all engines did.
    pub(crate) fn work(&self) -> Work {
        self.work.lock().clone()
    }
}

impl Engine {
    /// Executes blocks as one stream. A block that fails ends its stream; another begins after it.
    ///
    /// Blocks of one world after one that fails do not see the state that it did not leave: give each its own world.
    pub(crate) fn execute_all<'s, S>(
        &'s mut self,
        blocks: &[BlockInput<'s, S>],
    ) -> Vec<Result<FinishedBlock, ExecutionError<S::Error>>>
    where
        S: DatabaseRef + Sync + 's,
        S::Error: Send,
    {
        if !self.slow_reads {
            return self.streams(blocks);
        }
        let stores: Vec<_> = blocks.iter().map(|input| SlowReads(input.store)).collect();
        let inputs = blocks.iter().zip(&stores);
        let slow: Vec<_> = inputs
            .map(|(BlockInput { block, world, .. }, store)| BlockInput {
                block: block.clone(),
                store,
                world: *world,
            })
            .collect();
        self.streams(&slow)
    }

    fn streams<'s, S>(
        &mut self,
        blocks: &[BlockInput<'s, S>],
    ) -> Vec<Result<FinishedBlock, ExecutionError<S::Error>>>
    where
        S: DatabaseRef + Sync + 's,
        S::Error: Send,
    {
        let mut results = Vec::with_capacity(blocks.len());
        while results.len() < blocks.len() {
            let rest = blocks[results.len()..].iter().map(|input| BlockInput {
                block: input.block.clone(),
                store: input.store,
                world: input.world,
            });
            let before = results.len();
            let ((), metrics) = self.executor.stream(rest, Cut::Never, |finished| results.extend(finished));
            let finished = results[before..].iter().flatten();
            let (blocks, transactions) =
                finished.fold((0, 0), |(blocks, transactions), block: &FinishedBlock| {
                    (blocks + 1, transactions + block.receipts.len() as u64)
                });
            self.work.merge(&Work { blocks, transactions, metrics });
            if results.len() == before {
                let message = "a stream ended before its blocks did".to_owned();
                results.push(Err(ExecutionError::Internal(message)));
            }
        }
        results
    }
}
