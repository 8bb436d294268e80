use super::core::{Core, Streams};
use super::finished::{FinishedBlock, InspectedBlock};
use super::input::BlockInput;
use crate::engine::options::Options;
use crate::error::ExecutionError;
use crate::protocol::Protocol;
use crate::protocol::tracing::Tracing;
use revm::database_interface::DatabaseRef;
use tandem_stm::Metrics;

/// One block that is about to be executed: settings, then [`Call::run`].
///
/// ```
/// # use tandem_evm::{Block, ChainSpec, Config, EvmEnv, Executor, StoreRef};
/// # use tandem_evm::revm::context::{BlockEnv, CfgEnv, TxEnv};
/// # use tandem_evm::revm::primitives::hardfork::SpecId;
/// # use alloy_primitives::{Address, B256, TxKind};
/// # use std::sync::Arc;
/// # let chain = Arc::new(ChainSpec::known(1).unwrap());
/// # let env = EvmEnv { cfg_env: CfgEnv::new_with_spec(SpecId::PRAGUE), block_env: BlockEnv::default() };
/// # let to = TxKind::Call(Address::repeat_byte(2));
/// # let store = StoreRef(&tandem_state::MemoryStore::default());
/// # let executor = Executor::new(&Config::default().threads(2))?;
/// let calls = [0, 7].map(|nonce| TxEnv { kind: to, gas_limit: 21_000, nonce, ..TxEnv::default() });
/// let block = Block::from_env(&chain, env, B256::ZERO, calls);
///
/// let finished = executor.call(&store, block).skip_invalid().keep_results().run().unwrap();
/// assert!(finished.results[0].is_success());
/// let (index, reason) = &finished.skipped[0];
/// assert_eq!((*index, reason.to_string()), (1, "nonce 7 too high, expected 1".to_owned()));
/// # Ok::<_, tandem_evm::ConfigError>(())
/// ```
#[derive(Debug)]
#[must_use = "a call does nothing until it is run"]
pub struct Call<'s, S, P: Protocol> {
    streams: &'s dyn Streams<P>,
    input: BlockInput<'s, S, P>,
    options: Options,
}

impl<'s, S: DatabaseRef + Sync, P: Protocol> Call<'s, S, P> {
    pub(super) fn new(streams: &'s dyn Streams<P>, input: BlockInput<'s, S, P>) -> Self {
        Self { streams, input, options: Options::default() }
    }

    /// Leaves out transactions that are invalid where they stand, or that the block has no room for: [`FinishedBlock::skipped`] names
    /// them. A skipped transaction leaves nothing behind; those after it execute on what is there without it.
    pub fn skip_invalid(mut self) -> Self {
        self.options.skips = true;
        self
    }

    /// Keeps revm's result of each transaction: [`FinishedBlock::results`].
    pub fn keep_results(mut self) -> Self {
        self.options.keeps_results = true;
        self
    }

    /// Has each transaction watched by an inspector of `tracing`'s. The traces are those of executing the transactions one by one.
    pub fn inspect<T: Tracing<P>>(self, tracing: &'s T) -> InspectedCall<'s, S, P, T> {
        let Self { streams, input, options } = self;
        InspectedCall { core: streams.core(), input, options, tracing }
    }

    /// Executes the block, on the calling thread and on those of the executor's that are idle.
    ///
    /// # Errors
    ///
    /// If the block is invalid or the store fails.
    pub fn run(self) -> Result<FinishedBlock<P>, ExecutionError<S::Error>> {
        self.run_counted().0
    }

    /// Like [`Call::run`], with the engine's counters.
    pub fn run_counted(self) -> (Result<FinishedBlock<P>, ExecutionError<S::Error>>, Metrics) {
        let Self { streams, input, options } = self;
        let (result, metrics) = streams.call(input.into(), options);
        (result.map_err(ExecutionError::of_store), metrics)
    }
}

/// One block whose transactions are watched: [`Call::inspect`].
#[derive(Debug)]
#[must_use = "a call does nothing until it is run"]
pub struct InspectedCall<'s, S, P: Protocol, T> {
    core: &'s Core,
    input: BlockInput<'s, S, P>,
    options: Options,
    tracing: &'s T,
}

impl<S: DatabaseRef + Sync, P: Protocol, T: Tracing<P>> InspectedCall<'_, S, P, T> {
    /// Executes the block, as [`Call::run`] does.
    ///
    /// # Errors
    ///
    /// If the block is invalid or the store fails.
    pub fn run(self) -> Result<InspectedBlock<P, T::Trace>, ExecutionError<S::Error>> {
        let Self { core, input, options, tracing } = self;
        let (result, _) = core.call(tracing, input.into(), options);
        result.map_err(ExecutionError::of_store)
    }
}
