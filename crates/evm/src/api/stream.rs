use super::changes::PartialChanges;
use super::core::{Core, Mode, Streams};
use super::input::BlockInput;
use super::step_trace::StepTrace;
use super::streamed::{Finished, Inspected};
use crate::engine::in_flight::Job;
use crate::protocol::tracing::Tracing;
use crate::protocol::{Block, Protocol};
use revm::database_interface::DatabaseRef;
use std::num::NonZeroUsize;
use std::sync::Arc;
use tandem_stm::{Cut, Metrics};

/// A stream of blocks that is about to be executed: settings, then [`Stream::run`]. `'s` is the life of the executor and of the stores, `'o`
/// that of what observes the stream.
///
/// ```
/// # use tandem_evm::{Block, BlockInput, ChainSpec, Config, Cut, EvmEnv, Executor, StoreRef};
/// # use tandem_evm::revm::{context::{BlockEnv, CfgEnv}, primitives::hardfork::SpecId};
/// # use alloy_primitives::{B256, U256};
/// # use std::sync::Arc;
/// # let store = StoreRef(&tandem_state::MemoryStore::default());
/// # let chain = Arc::new(ChainSpec::known(1).unwrap());
/// # let block = |number| {
/// #     let block_env = BlockEnv { number: U256::from(number), ..BlockEnv::default() };
/// #     let env = EvmEnv { cfg_env: CfgEnv::new_with_spec(SpecId::PRAGUE), block_env };
/// #     Block::from_env(&chain, env, B256::ZERO, [])
/// # };
/// let executor = Executor::new(&Config::default().threads(2))?;
/// let blocks = (1..=3).map(|number| BlockInput::new(block(number), &store));
/// let (result, metrics) = executor.stream(blocks).cut(Cut::Never).keep_results().run(|finished| {
///     let mut transactions = 0;
///     for block in finished {
///         transactions += block?.results.len();
///     }
///     Ok::<_, tandem_evm::ExecutionError<_>>(transactions)
/// });
/// assert_eq!(result.unwrap(), 0);
/// assert_eq!(metrics.conflicts, 0);
/// # Ok::<_, tandem_evm::ConfigError>(())
/// ```
#[derive(Debug)]
#[must_use = "a stream does nothing until it is run"]
pub struct Stream<'s, 'o, I, P: Protocol> {
    streams: &'s dyn Streams<P>,
    blocks: I,
    mode: Mode<'o, P>,
}

impl<'s, 'o, I, P: Protocol> Stream<'s, 'o, I, P> {
    pub(super) fn new(streams: &'s dyn Streams<P>, blocks: I) -> Self {
        Self { streams, blocks, mode: Mode::default() }
    }

    /// Where the stream is cut. With [`Cut::Never`], the default, transactions of later blocks start while earlier blocks are in flight;
    /// with [`Cut::Batch`] one block executes at a time.
    pub fn cut(mut self, cut: Cut) -> Self {
        self.mode.cut = cut;
        self
    }

    /// Leaves out transactions that are invalid where they stand, or that their block has no room for:
    /// [`super::FinishedBlock::skipped`] names them. A skipped transaction leaves nothing behind; those after it execute on what is there
    /// without it.
    pub fn skip_invalid(mut self) -> Self {
        self.mode.options.skips = true;
        self
    }

    /// Keeps revm's result of each transaction: [`super::FinishedBlock::results`].
    pub fn keep_results(mut self) -> Self {
        self.mode.options.keeps_results = true;
        self
    }

    /// Promises that the consumer writes the changes of each block to the store before it asks for the next one. Then the stream keeps
    /// nothing beyond [`Config::memory`](crate::Config::memory), however much it changes: once its values take more, it waits for the
    /// consumer, forgets them, and reads what it needs from the store. Without this, it keeps what it has changed.
    ///
    /// Reads and writes of the store meet: a read must give an account's fields or a slot as they are before or after a write, and
    /// never a part of it. Results do not depend on which.
    pub fn consumer_commits(mut self) -> Self {
        self.mode.options.consumer_commits = true;
        self
    }

    /// Shows changes to `observer` as soon as they are final: of a long block, those of `every` so many transactions, while later ones
    /// are executing.
    ///
    /// The observer runs on the workers' threads and should do no more than hand on what it sees. It sees the parts of a
    /// block in order, but for the last one: that comes with the finished block (see [`super::FinishedBlock::parts`]).
    pub fn observe(
        mut self,
        every: NonZeroUsize,
        observer: impl FnMut(&Arc<Block<P>>, PartialChanges) + Send + 'o,
    ) -> Self {
        self.mode.observer = Some((every, Box::new(observer)));
        self
    }

    /// Shows `tracer` what each step relied on and did, in order, on the workers' threads.
    ///
    /// That takes time, and what is shown can depend on how the step was executed. A study of conflicts had better use one thread.
    pub fn trace_steps(mut self, tracer: impl FnMut(StepTrace<P>) + Send + 'o) -> Self {
        self.mode.tracer = Some(Box::new(tracer));
        self
    }

    /// Has each transaction watched by an inspector of `tracing`'s. Blocks come with traces, which are those of executing the
    /// transactions one by one.
    pub fn inspect<T: Tracing<P>>(self, tracing: &'s T) -> InspectedStream<'s, 'o, I, P, T> {
        let Self { streams, blocks, mode } = self;
        InspectedStream { core: streams.core(), blocks, mode, tracing }
    }

    /// Executes the stream. `consume` gets the finished blocks, in order, while later ones execute. The blocks are pulled from the worker
    /// threads, as far as they look ahead.
    ///
    /// Returns what `consume` returned, and the engine's counters.
    pub fn run<S, R>(self, consume: impl FnOnce(Finished<'_, 's, S, P>) -> R) -> (R, Metrics)
    where
        S: DatabaseRef + Sync + 's,
        I: Iterator<Item = BlockInput<'s, S, P>> + Send,
    {
        let Self { streams, blocks, mode } = self;
        let (mut consume, mut result) = (Some(consume), None);
        let metrics = streams.run(&mut blocks.map(Job::from), mode, &mut |blocks, vm, running| {
            let blocks = Finished(Inspected::new(blocks, vm, running));
            result = consume.take().map(|consume| consume(blocks));
        });
        (result.expect("the engine asks for the consumer"), metrics)
    }
}

/// A stream of blocks whose transactions are watched: [`Stream::inspect`].
#[derive(Debug)]
#[must_use = "a stream does nothing until it is run"]
pub struct InspectedStream<'s, 'o, I, P: Protocol, T> {
    core: &'s Core,
    blocks: I,
    mode: Mode<'o, P>,
    tracing: &'s T,
}

impl<'s, I, P: Protocol, T: Tracing<P>> InspectedStream<'s, '_, I, P, T> {
    /// Like [`Stream::run`]; the blocks come with traces.
    pub fn run<S, R>(self, consume: impl FnOnce(Inspected<'_, 's, S, P, T>) -> R) -> (R, Metrics)
    where
        S: DatabaseRef + Sync + 's,
        I: Iterator<Item = BlockInput<'s, S, P>> + Send,
    {
        let Self { core, blocks, mode, tracing } = self;
        let (mut consume, mut result) = (Some(consume), None);
        let metrics = core.run(tracing, &mut blocks.map(Job::from), mode, &mut |blocks, vm, running| {
            let blocks = Inspected::new(blocks, vm, running);
            result = consume.take().map(|consume| consume(blocks));
        });
        (result.expect("the engine asks for the consumer"), metrics)
    }
}
