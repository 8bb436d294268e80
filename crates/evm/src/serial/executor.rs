use super::block::PlainBlock;
use super::db::PlainDb;
use super::handler::{Plain, SerialOf};
use super::host::SerialHost;
use crate::error::ExecutionError;
use crate::ops;
use crate::protocol::errors::EvmError;
use crate::protocol::{Assembly, Block, Protocol};
use crate::state::{BaseState, Fault};
use alloy_primitives::map::B256Map;
use revm::bytecode::Bytecode;
use revm::context::{Context, Evm, Journal, JournalTr};
use revm::database_interface::DatabaseRef;
use revm::handler::Handler;
use revm::handler::instructions::EthInstructions;

/// Codes that were used before, analysed.
type Codes = B256Map<Bytecode>;
/// What executes a block.
type Execute<P> =
    fn(&mut Codes, &dyn BaseState, &Block<P>, bool) -> Result<PlainBlock<P>, ExecutionError<Fault>>;

/// A plain revm loop, the yardstick for everything else: revm's journal carries the state from one transaction to the
/// next, which is the cheapest way there is, and each code is analysed once.
#[derive(Debug)]
pub struct PlainExecutor<P: Protocol> {
    codes: Codes,
    /// Called through a pointer so that it is compiled where the executor is made, once for each chain.
    execute: Execute<P>,
}

impl<P: Protocol> PlainExecutor<P> {
    /// An executor for blocks of any chain, that knows no code yet.
    pub fn for_protocol() -> Self {
        Self { codes: Codes::default(), execute: execute_on }
    }

    /// Executes one block on the state in `store`.
    ///
    /// # Errors
    ///
    /// If the block is invalid or the store fails.
    pub fn execute<S: DatabaseRef>(
        &mut self,
        store: &S,
        block: &Block<P>,
    ) -> Result<PlainBlock<P>, ExecutionError<S::Error>> {
        (self.execute)(&mut self.codes, store, block, false).map_err(ExecutionError::of_store)
    }

    /// Executes one block without those of its transactions that are invalid where they stand, or that it has no room for:
    /// [`PlainBlock::skipped`] says which.
    ///
    /// # Errors
    ///
    /// If something else makes the block invalid, or the store fails.
    pub fn execute_skipping<S: DatabaseRef>(
        &mut self,
        store: &S,
        block: &Block<P>,
    ) -> Result<PlainBlock<P>, ExecutionError<S::Error>> {
        (self.execute)(&mut self.codes, store, block, true).map_err(ExecutionError::of_store)
    }
}

fn execute_on<P: Protocol>(
    codes: &mut Codes,
    store: &dyn BaseState,
    block: &Block<P>,
    skips: bool,
) -> Result<PlainBlock<P>, ExecutionError<Fault>> {
    let parent = block.protocol().parent_hash(block.body());
    let db = PlainDb {
        store,
        codes: std::mem::take(codes),
        delegates: block.has_delegations(),
        parent: parent.map(|hash| (block.id().number.wrapping_sub(1), hash)),
    };
    let env = block.env();
    let ctx = Context {
        block: env.block_env.clone(),
        tx: P::Tx::default(),
        cfg: env.cfg_env.clone(),
        journaled_state: Journal::new(db),
        chain: P::Context::default(),
        local: Default::default(),
        error: Ok(()),
    };
    let mut instructions = EthInstructions::new_mainnet_with_spec(block.spec_id());
    for replaced in &block.protocol().instructions(block) {
        ops::install(&mut instructions, replaced);
    }
    let mut evm = Evm::new(ctx, instructions, block.protocol().precompiles(block));
    evm.ctx.journaled_state.set_spec_id(block.spec_id());
    let result = execute(&mut evm, block, skips);
    *codes = std::mem::take(&mut evm.ctx.journaled_state.database.codes);
    result
}

fn execute<P: Protocol>(
    evm: &mut Plain<'_, P>,
    block: &Block<P>,
    skips: bool,
) -> Result<PlainBlock<P>, ExecutionError<Fault>> {
    block.check()?;
    let protocol = block.protocol();
    let mut handler = SerialOf::<P>::new(block);
    if protocol.has_start(block) {
        let started = protocol.start(block, &mut SerialHost { evm, handler: &mut handler });
        started.map_err(|error| error.in_block(block.id()))?;
        handler.end_start(evm);
    }
    let mut assembly = Assembly::default();
    let mut skipped = Vec::new();
    for index in 0..block.transaction_count() {
        if skips && let Err(error) = protocol.admit(block, index, assembly.gas_used) {
            skipped.push((index, error.into()));
            continue;
        }
        evm.ctx.tx = block.transaction(index).clone();
        evm.ctx.chain = protocol.context(block, index);
        match handler.run(evm) {
            Ok(result) => assembly.add(block, index, result.into())?,
            Err(EvmError::Transaction(error)) if skips => skipped.push((index, error.into())),
            Err(error) => return Err(block.transaction_error(index, error)),
        }
    }
    let ended = protocol.end(block, &mut SerialHost { evm, handler: &mut handler });
    assembly.end(block, ended.map_err(|error| error.in_block(block.id()))?)?;
    let state = std::mem::take(&mut evm.ctx.journaled_state.inner.state);
    let Assembly { receipts, gas_used, summary } = assembly;
    let clear_empty = block.clears_empty_accounts();
    Ok(PlainBlock { receipts, gas_used, summary, skipped, state, clear_empty, gone: handler.gone })
}
