use crate::agreement::{Execution, alloy_difference};
use crate::options::Options;
use crate::outcome::Work;
use crate::slow::SlowReads;
use parking_lot::Mutex;
use std::fmt::Display;
use std::sync::Arc;
use tandem_evm::revm::database_interface::DatabaseRef;
use tandem_evm::{
    AlloyExecutor, Block, BlockInput, Config, ConfigError, ExecutionError, Executor, FinishedBlock,
    PlainExecutor,
};

/// Engines, made as needed and used again and again.
///
/// Tests run side by side, each on an engine of its own with few threads.
#[derive(Debug)]
pub(crate) struct Engines {
    configs: Vec<Config>,
    slow_reads: bool,
    alloy: bool,
    idle: Mutex<Vec<Engine>>,
    work: Mutex<Work>,
}

/// All ways in which a block is executed: with each number of threads, in the plain loop and, if wanted, by alloy-evm.
#[derive(Debug)]
pub(crate) struct Engine {
    executors: Vec<Executor>,
    plain: PlainExecutor,
    alloy: Option<AlloyExecutor>,
    slow_reads: bool,
    /// The executors' work so far.
    work: Work,
}

/// The result of executing a block.
type BlockResult<E> = Result<FinishedBlock, ExecutionError<E>>;

impl Engines {
    /// Engines that execute everything as the options say.
    pub(crate) fn new(options: &Options) -> Result<Self, ConfigError> {
        let Options { threads, slow_reads, alloy, .. } = options;
        let engines = Self {
            configs: threads.iter().map(|threads| Config::default().threads(*threads)).collect(),
            slow_reads: *slow_reads,
            alloy: *alloy,
            idle: Mutex::default(),
            work: Mutex::default(),
        };
        // One to begin with, so that a bad setting shows.
        let first = engines.make()?;
        engines.idle.lock().push(first);
        Ok(engines)
    }

    fn make(&self) -> Result<Engine, ConfigError> {
        let executors = self.configs.iter().map(Executor::new).collect::<Result<_, _>>()?;
        let (plain, slow_reads) = (PlainExecutor::new(), self.slow_reads);
        let alloy = self.alloy.then(AlloyExecutor::new);
        Ok(Engine { executors, plain, alloy, slow_reads, work: Work::default() })
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

    /// The work of all engines.
    pub(crate) fn work(&self) -> Work {
        self.work.lock().clone()
    }
}

impl Engine {
    /// Executes blocks, each on a world of its own: as one stream with each number of threads, and one by one in the plain
    /// loop. All ways must give the same, else the block's result is an internal error that says where they differ.
    pub(crate) fn execute_all<S>(&mut self, blocks: &[BlockInput<'_, S>]) -> Vec<BlockResult<S::Error>>
    where
        S: DatabaseRef + Sync,
        S::Error: Display + Send,
    {
        let all: Vec<_> = (0..self.executors.len()).map(|index| self.streams(index, blocks)).collect();
        let mut all: Vec<_> = all.into_iter().map(Vec::into_iter).collect();
        let agreed = |input: &BlockInput<'_, S>| {
            let results: Vec<_> = all.iter_mut().filter_map(Iterator::next).collect();
            let plain = self.plain.execute(input.store, &input.block);
            let difference = {
                let plain = Execution::plain(input.store, &plain);
                let ways = self.executors.iter().zip(&results);
                let mut ways = ways.map(|(executor, result)| Execution::parallel(way(executor), result));
                ways.find_map(|parallel| parallel.difference(&plain))
            };
            let first = results.into_iter().next();
            let first =
                first.unwrap_or_else(|| Err(ExecutionError::Internal("there is no result".to_owned())));
            let difference = difference.or_else(|| {
                let alloy =
                    self.alloy.as_mut().filter(|_| AlloyExecutor::may_differ(&input.block).is_none())?;
                self.work.by_alloy += 1;
                alloy_difference(first.as_ref(), &alloy.execute(input.store, &input.block))
            });
            difference.map_or(first, |text| Err(ExecutionError::Internal(text)))
        };
        let agreed: Vec<_> = blocks.iter().map(agreed).collect();
        for block in agreed.iter().flatten() {
            self.work.blocks += 1;
            self.work.transactions += block.receipts.len() as u64;
        }
        agreed
    }

    /// Executes blocks that follow one another as one stream, with each number of threads. Gives the first difference from
    /// what they gave one by one.
    pub(crate) fn differs_in_stream<S>(
        &mut self,
        store: &S,
        one_by_one: &[Arc<FinishedBlock>],
    ) -> Option<String>
    where
        S: DatabaseRef + Sync,
        S::Error: Display + Send,
    {
        let inputs: Vec<_> = one_by_one
            .iter()
            .map(|finished| BlockInput { block: finished.block.clone(), store, world: 0 })
            .collect();
        (0..self.executors.len()).find_map(|index| {
            let streamed = self.streams(index, &inputs);
            streamed.iter().zip(one_by_one).find_map(|(streamed, alone)| {
                let way = format!("{} as one stream", way(&self.executors[index]));
                let alone = Ok::<_, ExecutionError<S::Error>>(FinishedBlock::clone(alone));
                let alone = Execution::parallel("block by block".to_owned(), &alone);
                Execution::parallel(way, streamed).difference(&alone)
            })
        })
    }

    /// Executes blocks as one stream on one of the executors. A block that fails ends its stream; another begins after it.
    ///
    /// Blocks of one world after one that fails do not see the state that it did not leave.
    fn streams<S>(&mut self, executor: usize, blocks: &[BlockInput<'_, S>]) -> Vec<BlockResult<S::Error>>
    where
        S: DatabaseRef + Sync,
        S::Error: Send,
    {
        if !self.slow_reads {
            return self.streams_on(executor, blocks);
        }
        let stores: Vec<_> = blocks.iter().map(|input| SlowReads(input.store)).collect();
        let slow: Vec<_> = blocks
            .iter()
            .zip(&stores)
            .map(|(input, store)| on(input.block.clone(), store, input.world))
            .collect();
        self.streams_on(executor, &slow)
    }

    fn streams_on<S>(&mut self, executor: usize, blocks: &[BlockInput<'_, S>]) -> Vec<BlockResult<S::Error>>
    where
        S: DatabaseRef + Sync,
        S::Error: Send,
    {
        let executor = &self.executors[executor];
        let mut results = Vec::with_capacity(blocks.len());
        while results.len() < blocks.len() {
            let rest =
                blocks[results.len()..].iter().map(|input| on(input.block.clone(), input.store, input.world));
            let before = results.len();
            let ((), metrics) = executor.stream(rest).run(|finished| results.extend(finished));
            self.work.metrics.merge(&metrics);
            if results.len() == before {
                let message = "a stream ended before its blocks did".to_owned();
                results.push(Err(ExecutionError::Internal(message)));
            }
        }
        results
    }
}

fn on<S>(block: Arc<Block>, store: &S, world: u32) -> BlockInput<'_, S> {
    BlockInput { block, store, world }
}

/// How an executor executes, in words.
fn way(executor: &Executor) -> String {
    match executor.threads() {
        1 => "with 1 thread".to_owned(),
        threads => format!("with {threads} threads"),
    }
}
