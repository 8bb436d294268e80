//! How streams are executed, whatever the types of store, input and consumer.

use super::finished::{FinishedBlock, InspectedBlock};
use super::sink::{Assembler, Observer};
use super::step_trace::Tracer;
use crate::engine::in_flight::Job;
use crate::engine::kept::Kept;
use crate::engine::options::Options;
use crate::engine::step::{Part, Step};
use crate::engine::vm::EvmVm;
use crate::error::ExecutionError;
use crate::protocol::tracing::{NoTracing, Tracing};
use crate::protocol::{Block, Protocol};
use crate::state::Fault;
use crossbeam_channel::Receiver;
use std::fmt::Debug;
use std::num::NonZeroUsize;
use tandem_stm::{Cut, Engine, Metrics, StreamError, StreamHandle};

/// Finished blocks that wait for the consumer at most; then execution waits for it.
const FINISHED_AHEAD: usize = 64;

/// A transaction with so little gas can move ether at most, and counts for a tenth of it: that takes little time for its gas.
const TRANSFER: u64 = 21_000;

/// How a stream is executed.
pub(crate) struct Mode<'a, P: Protocol> {
    pub(super) cut: Cut,
    pub(super) options: Options,
    pub(super) observer: Option<(NonZeroUsize, Observer<'a, P>)>,
    pub(super) tracer: Option<Tracer<'a, P>>,
}

impl<P: Protocol> Default for Mode<'_, P> {
    fn default() -> Self {
        Self { cut: Cut::Never, options: Options::default(), observer: None, tracer: None }
    }
}

impl<P: Protocol> Debug for Mode<'_, P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mode").field("cut", &self.cut).field("options", &self.options).finish_non_exhaustive()
    }
}

/// What is called with a stream that begins.
pub(crate) type Consumer<'c, 's, P, T> = dyn for<'a> FnMut(
        Receiver<InspectedBlock<P, <T as Tracing<P>>::Trace>>,
        &'a EvmVm<'s, P, T>,
        StreamHandle<'a, EvmVm<'s, P, T>>,
    ) + 'c;

/// A block, or why there is none.
type Outcome<B> = Result<B, ExecutionError<Fault>>;

/// Threads and memory.
#[derive(Debug)]
pub(crate) struct Core {
    pub(super) engine: Engine,
    pub(super) kept: Kept,
    /// A call of a block whose transactions may use less gas than that, in sum, has one thread.
    pub(super) alone_below: u64,
}

impl Core {
    pub(super) fn run<'s, P: Protocol, T: Tracing<P>>(
        &'s self,
        tracing: &'s T,
        jobs: &mut (dyn Iterator<Item = Job<'s, P>> + Send),
        mode: Mode<'_, P>,
        consume: &mut Consumer<'_, 's, P, T>,
    ) -> Metrics {
        let _span = ::tracing::debug_span!("stream", threads = self.engine.threads()).entered();
        let (every, observer) = mode.observer.unzip();
        let vm = EvmVm::new(self.kept.content(), tracing, mode.options, mode.tracer.is_some(), every);
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

    pub(super) fn call<P: Protocol, T: Tracing<P>>(
        &self,
        tracing: &T,
        job: Job<'_, P>,
        options: Options,
    ) -> (Outcome<InspectedBlock<P, T::Trace>>, Metrics) {
        let _span = ::tracing::debug_span!("call", threads = self.engine.threads()).entered();
        let vm = EvmVm::new(self.kept.content(), tracing, options, false, None);
        let (sender, receiver) = crossbeam_channel::bounded(1);
        let (alone, most) = (gas(&job.block) < self.alone_below, job.block.transactions.len() + 2);
        let batches = std::iter::once(steps(&vm, job));
        let sink = Assembler::new(&vm, sender, None, None);
        let mut arena = self.kept.arena();
        let (metrics, outcome) = if alone {
            self.engine.call_alone(&vm, &mut arena, batches, sink)
        } else {
            self.engine.call(&vm, &mut arena, batches, Cut::Batch, most, sink)
        };
        self.kept.keep(arena);
        let ended = |_| ExecutionError::Internal("the stream ended without a result".to_owned());
        let result = outcome
            .map_err(|failure| execution_error(&vm, failure))
            .and_then(|()| receiver.try_recv().map_err(ended));
        (result, metrics)
    }
}

/// What does not depend on the types of store, input and consumer. It is compiled once for each chain, where an executor for that is
/// made, and called through a pointer.
pub(crate) trait Streams<P: Protocol>: Debug + Send + Sync {
    fn core(&self) -> &Core;
    fn run<'s>(
        &'s self,
        jobs: &mut (dyn Iterator<Item = Job<'s, P>> + Send),
        mode: Mode<'_, P>,
        consume: &mut Consumer<'_, 's, P, NoTracing>,
    ) -> Metrics;
    fn call(&self, job: Job<'_, P>, options: Options) -> (Outcome<FinishedBlock<P>>, Metrics);
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

    fn call(&self, job: Job<'_, P>, options: Options) -> (Outcome<FinishedBlock<P>>, Metrics) {
        let (result, metrics) = Self::call(self, &NoTracing, job, options);
        (result.map(|inspected| inspected.block), metrics)
    }
}

pub(super) fn execution_error<P: Protocol, T: Tracing<P>>(
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

/// The gas that a block's transactions may use, as a measure of its time.
fn gas<P: Protocol>(block: &Block<P>) -> u64 {
    let weights = block.transactions.iter().map(|transaction| match transaction.gas_limit {
        gas if gas <= TRANSFER => gas / 10,
        gas => gas,
    });
    weights.fold(0, u64::saturating_add)
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
