use super::changes::PartialChanges;
use super::finished::{FinishedBlock, InspectedBlock};
use super::sink::{Assembler, Observer};
use super::step_trace::{StepTrace, Tracer};
use crate::engine::in_flight::Job;
use crate::engine::kept::Kept;
use crate::engine::step::{Part, Step};
use crate::engine::vm::EvmVm;
use crate::error::ExecutionError;
use crate::protocol::tracing::{NoTracing, Tracing};
use crate::protocol::{Block, Protocol};
use crate::state::Fault;
use crossbeam_channel::Receiver;
use revm::database_interface::DatabaseRef;
use std::fmt::Debug;
use std::marker::PhantomData;
use std::num::NonZeroUsize;
use std::sync::Arc;
use tandem_stm::{Background, Config, ConfigError, Cut, Engine, Metrics, StreamError, StreamHandle};

/// Finished blocks that wait for the consumer at most; then execution waits for it.
const FINISHED_AHEAD: usize = 64;

/// Executes blocks on many threads, with the results of executing their transactions one by one.
///
/// An executor keeps threads and memory. Make one and keep it.
///
/// Any number of blocks and streams may be executed at once, by whatever threads and wherever: by the consumer of a stream, by its input
/// or its observer, by a store, by background work. Each has threads to itself, so that none waits for another one, unless what
/// it is given does.
#[derive(Debug)]
pub struct Executor<P: Protocol> {
    core: Box<dyn Streams<P>>,
}

/// A block together with the state it is executed on.
#[derive(Debug)]
pub struct BlockInput<'s, S, P: Protocol> {
    /// The block.
    pub block: Arc<Block<P>>,
    /// The state before the first block of this world.
    pub store: &'s S,
    /// Blocks of one world follow one another: each is executed on the state that the earlier ones left. Blocks of
    /// different worlds have nothing to do with each other, but share the stream.
    pub world: u32,
}

impl<'s, S: DatabaseRef + Sync, P: Protocol> From<BlockInput<'s, S, P>> for Job<'s, P> {
    fn from(input: BlockInput<'s, S, P>) -> Self {
        let BlockInput { block, store, world } = input;
        Self { block, store, world }
    }
}

impl<'s, S, P: Protocol> BlockInput<'s, S, P> {
    /// A block of the only world there is.
    pub fn new(block: Block<P>, store: &'s S) -> Self {
        Self { block: Arc::new(block), store, world: 0 }
    }
}

/// The finished blocks of a stream, in order, each with what inspectors made of its transactions. Waits for each; ends after the last
/// block or the first error.
///
/// Dropping it early ends the stream.
#[derive(Debug)]
pub struct Inspected<'a, 's, S, P: Protocol, T: Tracing<P>> {
    blocks: Option<Receiver<InspectedBlock<P, T::Trace>>>,
    running: StreamHandle<'a, EvmVm<'s, P, T>>,
    vm: &'a EvmVm<'s, P, T>,
    store: PhantomData<&'s S>,
}

impl<S: DatabaseRef, P: Protocol, T: Tracing<P>> Iterator for Inspected<'_, '_, S, P, T> {
    type Item = Result<InspectedBlock<P, T::Trace>, ExecutionError<S::Error>>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.blocks.as_ref()?.recv() {
            Ok(block) => Some(Ok(block)),
            Err(_) => {
                self.running.take_failure().map(|failure| Err(execution_error(self.vm, failure).of_store()))
            }
        }
    }
}

impl<S, P: Protocol, T: Tracing<P>> Drop for Inspected<'_, '_, S, P, T> {
    fn drop(&mut self) {
        // The receiver first: a worker that waits for room in the channel must see that nobody will make any.
        self.blocks = None;
        self.running.cancel();
    }
}

/// The finished blocks of a stream, in order. Waits for each; ends after the last block or the first error.
///
/// Dropping it early ends the stream.
#[derive(Debug)]
pub struct Finished<'a, 's, S, P: Protocol>(Inspected<'a, 's, S, P, NoTracing>);

impl<S: DatabaseRef, P: Protocol> Iterator for Finished<'_, '_, S, P> {
    type Item = Result<FinishedBlock<P>, ExecutionError<S::Error>>;

    fn next(&mut self) -> Option<Self::Item> {
        Some(self.0.next()?.map(|inspected| inspected.block))
    }
}

fn execution_error<P: Protocol, T: Tracing<P>>(
    vm: &EvmVm<'_, P, T>,
    failure: StreamError<ExecutionError<Fault>>,
) -> ExecutionError<Fault> {
    match failure {
        StreamError::Step { error, .. } => error,
        StreamError::Panic { position, message } => {
            // At its turn a step belongs to the first block in flight.
            ExecutionError::Internal(match position.and_then(|_| vm.jobs.first()) {
                Some(block) => format!("block {block}: {message}"),
                None => message,
            })
        }
        StreamError::Spawn => {
            ExecutionError::Internal("no thread could be started to execute the blocks".to_owned())
        }
    }
}

/// What is called with a stream that begins.
type Consumer<'c, 's, P, T> = dyn for<'a> FnMut(
        Receiver<InspectedBlock<P, <T as Tracing<P>>::Trace>>,
        &'a EvmVm<'s, P, T>,
        StreamHandle<'a, EvmVm<'s, P, T>>,
    ) + 'c;

/// How a stream is executed.
struct Mode<'a, P: Protocol> {
    cut: Cut,
    observer: Option<(NonZeroUsize, Observer<'a, P>)>,
    tracer: Option<Tracer<'a, P>>,
}

/// Threads and memory.
#[derive(Debug)]
struct Core {
    engine: Engine,
    kept: Kept,
}

impl Core {
    fn run<'s, P: Protocol, T: Tracing<P>>(
        &'s self,
        tracing: &'s T,
        jobs: &mut (dyn Iterator<Item = Job<'s, P>> + Send),
        mode: Mode<'_, P>,
        consume: &mut Consumer<'_, 's, P, T>,
    ) -> Metrics {
        let (every, observer) = mode.observer.unzip();
        let vm = EvmVm::new(self.kept.content(), tracing, mode.tracer.is_some(), every);
        let (sender, receiver) = crossbeam_channel::bounded(FINISHED_AHEAD);
        let batches = jobs.map(|job| steps(&vm, job));
        let sink = Assembler::new(&vm, sender, observer, mode.tracer);
        let mut arena = self.kept.arena();
        let ((), metrics, _) = self
            .engine
            .stream(&vm, &mut arena, batches, mode.cut, sink, |running| consume(receiver, &vm, running));
        self.kept.keep(arena);
        metrics
    }

    fn call<P: Protocol>(
        &self,
        job: Job<'_, P>,
        skips: bool,
    ) -> (Result<FinishedBlock<P>, ExecutionError<Fault>>, Metrics) {
        let vm = EvmVm::new(self.kept.content(), &NoTracing, false, None);
        let vm = if skips { vm.skipping() } else { vm };
        let (sender, receiver) = crossbeam_channel::bounded(1);
        let batches = std::iter::once(steps(&vm, job));
        let sink = Assembler::new(&vm, sender, None, None);
        let mut arena = self.kept.arena();
        let (metrics, outcome) = self.engine.call(&vm, &mut arena, batches, Cut::Batch, sink);
        self.kept.keep(arena);
        let ended = |_| ExecutionError::Internal("the stream ended without a result".to_owned());
        let result = outcome
            .map_err(|failure| execution_error(&vm, failure))
            .and_then(|()| receiver.try_recv().map_err(ended));
        (result.map(|inspected| inspected.block), metrics)
    }
}

/// What does not depend on the types of store, input and consumer. It is compiled once for each chain, where an executor for that is
/// made, and called through a pointer.
trait Streams<P: Protocol>: Debug + Send + Sync {
    fn core(&self) -> &Core;
    fn run<'s>(
        &'s self,
        jobs: &mut (dyn Iterator<Item = Job<'s, P>> + Send),
        mode: Mode<'_, P>,
        consume: &mut Consumer<'_, 's, P, NoTracing>,
    ) -> Metrics;
    fn call(
        &self,
        job: Job<'_, P>,
        skips: bool,
    ) -> (Result<FinishedBlock<P>, ExecutionError<Fault>>, Metrics);
}

impl<P: Protocol> Streams<P> for Core {
    fn core(&self) -> &Core {
        self
    }

    fn run<'s>(
        &'s self,
        jobs: &mut (dyn Iterator<Item = Job<'s, P>> + Send),
        mode: Mode<'_, P>,
        consume: &mut Consumer<'_, 's, P, NoTracing>,
    ) -> Metrics {
        Self::run(self, &NoTracing, jobs, mode, consume)
    }

    fn call(
        &self,
        job: Job<'_, P>,
        skips: bool,
    ) -> (Result<FinishedBlock<P>, ExecutionError<Fault>>, Metrics) {
        Self::call(self, job, skips)
    }
}

impl<P: Protocol> Executor<P> {
    /// An executor for blocks of any chain. Starts its threads.
    ///
    /// # Errors
    ///
    /// If a setting makes no sense or the threads cannot be started.
    pub fn for_protocol(config: &Config) -> Result<Self, ConfigError> {
        let core = Core { engine: Engine::new(config)?, kept: Kept::new(config.most_kept_memory()) };
        Ok(Self { core: Box::new(core) })
    }

    /// How many threads execute a stream.
    pub fn threads(&self) -> usize {
        self.core.core().engine.threads()
    }

    /// Memory that is kept for the next streams, in bytes: no more than [`Config::kept_memory`] says.
    pub fn kept_memory(&self) -> usize {
        self.core.core().kept.bytes()
    }

    /// Gives back the memory that is kept for the next streams, and threads that are there because several were executed at once.
    pub fn release(&self) {
        self.core.core().kept.release();
        self.core.core().engine.release();
    }

    /// Threads for work around execution: recovering senders, hashing tries.
    pub fn background(&self) -> &Background {
        self.core.core().engine.background()
    }

    /// Executes blocks as one stream. `consume` gets the finished blocks, in order, while later ones execute.
    ///
    /// With [`Cut::Never`] transactions of later blocks start while earlier blocks are in flight; with [`Cut::Batch`]
    /// one block executes at a time. `blocks` is pulled from the worker threads, as far as they look ahead.
    ///
    /// Returns what `consume` returned, and the engine's counters.
    pub fn stream<'s, S, I, R>(
        &'s self,
        blocks: I,
        cut: Cut,
        consume: impl FnOnce(Finished<'_, 's, S, P>) -> R,
    ) -> (R, Metrics)
    where
        S: DatabaseRef + Sync + 's,
        I: IntoIterator<Item = BlockInput<'s, S, P>>,
        I::IntoIter: Send,
    {
        self.run(blocks, Mode { cut, observer: None, tracer: None }, consume)
    }

    /// Like [`Executor::stream`], and shows changes to `observer` as soon as they are final: of a long block, those of
    /// `every` so many transactions, while later ones are executing.
    ///
    /// The observer runs on the workers' threads and should do no more than hand on what it sees. It sees the parts of a
    /// block in order, but for the last one: that comes with the finished block (see [`FinishedBlock::parts`]).
    pub fn stream_observed<'s, S, I, R>(
        &'s self,
        blocks: I,
        cut: Cut,
        every: NonZeroUsize,
        observer: impl FnMut(&Arc<Block<P>>, PartialChanges) + Send,
        consume: impl FnOnce(Finished<'_, 's, S, P>) -> R,
    ) -> (R, Metrics)
    where
        S: DatabaseRef + Sync + 's,
        I: IntoIterator<Item = BlockInput<'s, S, P>>,
        I::IntoIter: Send,
    {
        self.run(blocks, Mode { cut, observer: Some((every, Box::new(observer))), tracer: None }, consume)
    }

    /// Like [`Executor::stream`], and shows `tracer` what each step relied on and did, in order, on the workers' threads.
    ///
    /// That takes time, and what is shown can depend on how the step was executed, so that those who study it had better
    /// do so with one thread.
    pub fn stream_traced<'s, S, I, R>(
        &'s self,
        blocks: I,
        cut: Cut,
        tracer: impl FnMut(StepTrace<P>) + Send,
        consume: impl FnOnce(Finished<'_, 's, S, P>) -> R,
    ) -> (R, Metrics)
    where
        S: DatabaseRef + Sync + 's,
        I: IntoIterator<Item = BlockInput<'s, S, P>>,
        I::IntoIter: Send,
    {
        self.run(blocks, Mode { cut, observer: None, tracer: Some(Box::new(tracer)) }, consume)
    }

    /// Like [`Executor::stream`], with an inspector of `tracing`'s for each transaction. `consume` gets blocks with their traces, which
    /// are those of executing the transactions one by one.
    pub fn stream_inspected<'s, S, I, T, R>(
        &'s self,
        blocks: I,
        cut: Cut,
        tracing: &'s T,
        consume: impl FnOnce(Inspected<'_, 's, S, P, T>) -> R,
    ) -> (R, Metrics)
    where
        S: DatabaseRef + Sync + 's,
        I: IntoIterator<Item = BlockInput<'s, S, P>>,
        I::IntoIter: Send,
        T: Tracing<P>,
    {
        let (mut consume, mut result) = (Some(consume), None);
        let mut jobs = blocks.into_iter().map(Job::from);
        let mode = Mode { cut, observer: None, tracer: None };
        let metrics = self.core.core().run(tracing, &mut jobs, mode, &mut |blocks, vm, running| {
            let blocks = Inspected { blocks: Some(blocks), running, vm, store: PhantomData };
            result = consume.take().map(|consume| consume(blocks));
        });
        (result.expect("the engine asks for the consumer"), metrics)
    }

    fn run<'s, S, I, R>(
        &'s self,
        blocks: I,
        mode: Mode<'_, P>,
        consume: impl FnOnce(Finished<'_, 's, S, P>) -> R,
    ) -> (R, Metrics)
    where
        S: DatabaseRef + Sync + 's,
        I: IntoIterator<Item = BlockInput<'s, S, P>>,
        I::IntoIter: Send,
    {
        let (mut consume, mut result) = (Some(consume), None);
        let mut jobs = blocks.into_iter().map(Job::from);
        let metrics = self.core.run(&mut jobs, mode, &mut |blocks, vm, running| {
            let blocks = Inspected { blocks: Some(blocks), running, vm, store: PhantomData };
            result = consume.take().map(|consume| consume(Finished(blocks)));
        });
        (result.expect("the engine asks for the consumer"), metrics)
    }

    /// Executes one block, on the calling thread and on those of the executor's that are idle.
    ///
    /// # Errors
    ///
    /// If the block is invalid or the store fails.
    pub fn execute<S>(&self, store: &S, block: Block<P>) -> Result<FinishedBlock<P>, ExecutionError<S::Error>>
    where
        S: DatabaseRef + Sync,
    {
        self.execute_counted(store, block).0
    }

    /// Executes one block without those of its transactions that are invalid where they stand, or that it has no room for:
    /// [`FinishedBlock::skipped`] says which. A skipped transaction leaves nothing behind; those after it execute on what is there
    /// without it.
    ///
    /// # Errors
    ///
    /// If something else makes the block invalid, or the store fails.
    pub fn execute_skipping<S>(
        &self,
        store: &S,
        block: Block<P>,
    ) -> Result<FinishedBlock<P>, ExecutionError<S::Error>>
    where
        S: DatabaseRef + Sync,
    {
        let (result, _) = self.core.call(BlockInput::new(block, store).into(), true);
        result.map_err(ExecutionError::of_store)
    }

    /// Executes one block, and gives the engine's counters, too.
    pub fn execute_counted<S>(
        &self,
        store: &S,
        block: Block<P>,
    ) -> (Result<FinishedBlock<P>, ExecutionError<S::Error>>, Metrics)
    where
        S: DatabaseRef + Sync,
    {
        let (result, metrics) = self.core.call(BlockInput::new(block, store).into(), false);
        (result.map_err(ExecutionError::of_store), metrics)
    }
}

/// The steps of one block. Tells the stream the hash of the block's parent on the way.
fn steps<'s, P: Protocol, T: Tracing<P>>(
    vm: &EvmVm<'s, P, T>,
    job: Job<'s, P>,
) -> impl Iterator<Item = Step> + use<P, T> {
    let block = job.block.clone();
    if let Some(parent) = block.id().number.checked_sub(1)
        && let Some(hash) = block.protocol().parent_hash(block.body())
    {
        vm.pools.block_hashes.write().insert((job.world, parent), hash);
    }
    let start = block.protocol().has_start(&block).then_some(Part::Start);
    let transactions = (0..block.transactions.len()).map(Part::Transaction);
    let block = vm.jobs.add(job);
    let parts = start.into_iter().chain(transactions).chain(std::iter::once(Part::End));
    parts.map(move |part| Step { block, part })
}
