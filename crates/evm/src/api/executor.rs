use super::call::Call;
use super::core::{Core, Streams};
use super::finished::FinishedBlock;
use super::input::BlockInput;
use super::stream::Stream;
use crate::engine::kept::Kept;
use crate::error::ExecutionError;
use crate::protocol::{Block, Protocol};
use revm::database_interface::DatabaseRef;
use tandem_stm::{Background, Config, ConfigError, Engine};

/// Executes blocks on many threads, with the results of executing their transactions one by one.
///
/// An executor keeps threads and memory. Make one and keep it.
///
/// Any number of blocks and streams may be executed at once, by whatever threads and wherever: by the consumer of a stream, by its input
/// or its observer, by a store, by background work. Each has threads to itself, so that none waits for another one, unless what
/// it is given does.
///
/// ```
/// # use tandem_evm::{Block, ChainSpec, Config, EvmEnv, Executor};
/// # use tandem_evm::revm::context::{BlockEnv, CfgEnv, TxEnv};
/// # use tandem_evm::revm::database::{CacheDB, EmptyDB};
/// # use tandem_evm::revm::{primitives::hardfork::SpecId, state::AccountInfo};
/// # use alloy_primitives::{Address, B256, TxKind, U256};
/// # use std::sync::Arc;
/// let sender = Address::with_last_byte(1);
/// let mut store = CacheDB::new(EmptyDB::new());
/// store.insert_account_info(sender, AccountInfo::from_balance(U256::from(1_000_000)));
///
/// let env = EvmEnv {
///     cfg_env: CfgEnv::new_with_spec(SpecId::PRAGUE),
///     block_env: BlockEnv { number: U256::from(1), ..BlockEnv::default() },
/// };
/// let payment = TxEnv {
///     caller: sender,
///     kind: TxKind::Call(Address::repeat_byte(2)),
///     value: U256::from(7),
///     gas_limit: 21_000,
///     ..TxEnv::default()
/// };
/// let chain = Arc::new(ChainSpec::known(1).unwrap());
/// let block = Block::from_env(&chain, env, B256::ZERO, [payment]);
///
/// let executor = Executor::new(&Config::default().threads(2))?;
/// let finished = executor.execute(&store, block).unwrap();
/// assert_eq!(finished.gas_used, 21_000);
/// # Ok::<_, tandem_evm::ConfigError>(())
/// ```
#[derive(Debug)]
pub struct Executor<P: Protocol> {
    streams: Box<dyn Streams<P>>,
}

impl<P: Protocol> Executor<P> {
    /// An executor for blocks of any chain. Starts its threads.
    ///
    /// # Errors
    ///
    /// If a setting makes no sense or the threads cannot be started.
    pub fn for_protocol(config: &Config) -> Result<Self, ConfigError> {
        let core = Core {
            engine: Engine::new(config)?,
            kept: Kept::new(config.most_kept_memory()),
            alone_below: config.least_shared_weight(),
        };
        Ok(Self { streams: Box::new(core) })
    }

    /// How many threads execute a stream.
    pub fn threads(&self) -> usize {
        self.streams.core().engine.threads()
    }

    /// Memory that is kept for the next streams, in bytes: no more than [`Config::kept_memory`] says.
    pub fn kept_memory(&self) -> usize {
        self.streams.core().kept.bytes()
    }

    /// Gives back the memory that is kept for the next streams, and threads that are there because several were executed at once.
    pub fn release(&self) {
        self.streams.core().kept.release();
        self.streams.core().engine.release();
    }

    /// Threads for work around execution: recovering senders, hashing tries.
    pub fn background(&self) -> &Background {
        self.streams.core().engine.background()
    }

    /// Executes one block, on the calling thread and on those of the executor's that are idle. The short form of
    /// [`Executor::call`].
    ///
    /// # Errors
    ///
    /// If the block is invalid or the store fails.
    pub fn execute<S>(&self, store: &S, block: Block<P>) -> Result<FinishedBlock<P>, ExecutionError<S::Error>>
    where
        S: DatabaseRef + Sync,
    {
        self.call(store, block).run()
    }

    /// One block to execute on the state in `store`, with settings: [`Call`] has them.
    pub fn call<'s, S>(&'s self, store: &'s S, block: Block<P>) -> Call<'s, S, P>
    where
        S: DatabaseRef + Sync,
    {
        Call::new(&*self.streams, BlockInput::new(block, store))
    }

    /// Blocks to execute as one stream: [`Stream`] has the settings, and [`Stream::run`] executes it.
    pub fn stream<'s, 'o, S, I>(&'s self, blocks: I) -> Stream<'s, 'o, I::IntoIter, P>
    where
        S: DatabaseRef + Sync + 's,
        I: IntoIterator<Item = BlockInput<'s, S, P>>,
    {
        Stream::new(&*self.streams, blocks.into_iter())
    }
}
