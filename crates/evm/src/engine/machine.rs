//! revm, put together so that it records what a result relies on.

use super::context::{Ctx, CtxOf};
use super::db::Db;
use super::precompiles::Recording;
use super::record::note_frame;
use super::recorder::Recorder;
use crate::ops::{self, Instructions};
use crate::protocol::collisions::{StorageCollisions, collide};
use crate::protocol::{Block, Protocol};
use crate::state::StoreError;
use alloy_primitives::Address;
use revm::context::{
    BlockEnv, Cfg, CfgEnv, Context, ContextError, Evm, FrameStack, Journal, JournalTr, LocalContext,
    LocalContextTr, Transaction,
};
use revm::handler::evm::{ContextDbError, EvmTr, FrameInitResult, FrameTr};
use revm::handler::instructions::EthInstructions;
use revm::handler::{EthFrame, FrameInitOrResult, ItemOrResult};
use revm::interpreter::FrameInput;
use revm::interpreter::interpreter::EthInterpreter;
use revm::primitives::hardfork::SpecId;
use revm::state::EvmState;
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

/// Accounts that the journal keeps room for.
const KEPT_ACCOUNTS: usize = 256;

type Inner<'r, P> = Evm<
    CtxOf<'r, P>,
    (),
    Instructions<'r, P>,
    Recording<P, <P as Protocol>::Precompiles<CtxOf<'r, P>>>,
    EthFrame<EthInterpreter>,
>;

/// The chain that a machine executes, and its rules.
#[derive(Debug)]
struct Rules<P> {
    protocol: Arc<P>,
    /// See [`Protocol::rules`].
    number: u32,
    /// Whether instructions may show anything of an account.
    show_accounts: bool,
}

/// An EVM that notes funds checks and every instruction that shows a balance.
pub(crate) struct Machine<'r, P: Protocol> {
    inner: Inner<'r, P>,
    /// Of the block that it is at.
    rules: Option<Rules<P>>,
}

impl<'r, P: Protocol> Machine<'r, P> {
    pub(crate) fn new(mut db: Db<'r>) -> Self {
        let spec = SpecId::default();
        let memory = db.content.take_memory();
        let ctx: CtxOf<'r, P> = Context {
            block: BlockEnv::default(),
            tx: P::Tx::default(),
            cfg: CfgEnv::new_with_spec(spec),
            journaled_state: Journal::new_with_inner(db, Default::default()),
            chain: P::Context::default(),
            local: LocalContext {
                shared_memory_buffer: Rc::new(RefCell::new(memory)),
                precompile_error_message: None,
            },
            error: Ok(()),
        };
        let inner = Evm::new(ctx, EthInstructions::new_mainnet_with_spec(spec), Recording::default());
        Self { inner, rules: None }
    }

    pub(crate) fn db(&mut self) -> &mut Db<'r> {
        &mut self.inner.ctx.journaled_state.database
    }

    /// Takes over a block's environment, and its rules if they differ from the last block's.
    pub(crate) fn set_block(&mut self, block: &Block<P>) {
        let number = block.protocol().rules(block);
        let known = self
            .rules
            .as_ref()
            .is_some_and(|rules| rules.number == number && Arc::ptr_eq(&rules.protocol, block.protocol()));
        if !known {
            let (instructions, show_accounts) = ops::instructions(block);
            self.inner.instruction = instructions;
            self.inner.precompiles = Recording::new(block, block.protocol().precompiles(block));
            self.rules = Some(Rules { protocol: block.protocol().clone(), number, show_accounts });
        }
        let db = self.db();
        db.collisions = block.protocol().storage_collisions().filter(|known| !known.is_empty()).cloned();
        db.delegates = block.has_delegations();
        let env = block.env();
        let ctx = &mut self.inner.ctx;
        ctx.cfg = env.cfg_env.clone();
        ctx.block = env.block_env.clone();
        let journal = &mut ctx.journaled_state.inner;
        journal.warm_addresses = Default::default();
        journal.cfg.spec = ctx.cfg.spec;
        journal.cfg.eip7708_disabled = ctx.cfg.is_eip7708_disabled();
        journal.cfg.eip8246_delayed_clear_disabled = ctx.cfg.is_eip8246_delayed_clear_disabled();
    }

    /// Forgets the last run of steps, its buffers kept unless they are large: clearing them would take longer than most steps.
    pub(crate) fn reset(&mut self) {
        let ctx = &mut self.inner.ctx;
        let journal = &mut ctx.journaled_state.inner;
        if journal.state.capacity() > KEPT_ACCOUNTS {
            journal.state = EvmState::default();
        }
        journal.state.clear();
        journal.commit_tx();
        journal.transaction_id = Default::default();
        ctx.error = Ok(());
        ctx.local.clear();
        self.inner.frame_stack.clear();
    }

    /// Prepares for one transaction: what it is, and the chain's own context of it.
    pub(crate) fn set_transaction(&mut self, tx: P::Tx, context: P::Context) {
        let show_accounts = self.rules.as_ref().is_some_and(|rules| rules.show_accounts);
        let ctx = &mut self.inner.ctx;
        ctx.tx = tx;
        ctx.chain = context;
        ctx.journaled_state.database.ledger.exact |= show_accounts;
    }
}

impl<P: Protocol> Drop for Machine<'_, P> {
    fn drop(&mut self) {
        let ctx = &mut self.inner.ctx;
        let memory = ctx.local.shared_memory_buffer.take();
        ctx.journaled_state.database.leave(memory);
    }
}

impl<'r, P: Protocol> Recorder<'r> for Machine<'r, P> {
    type Protocol = P;

    fn ctx_and_protocol(&mut self) -> (&mut CtxOf<'r, P>, &P) {
        let rules = self.rules.as_ref().expect("a machine executes after it was given a block");
        (&mut self.inner.ctx, &rules.protocol)
    }
}

impl<'r, P: Protocol> EvmTr for Machine<'r, P> {
    type Context = CtxOf<'r, P>;
    type Instructions = Instructions<'r, P>;
    type Precompiles = Recording<P, P::Precompiles<CtxOf<'r, P>>>;
    type Frame = EthFrame<EthInterpreter>;

    fn all(&self) -> (&Self::Context, &Self::Instructions, &Self::Precompiles, &FrameStack<Self::Frame>) {
        self.inner.all()
    }

    fn all_mut(
        &mut self,
    ) -> (&mut Self::Context, &mut Self::Instructions, &mut Self::Precompiles, &mut FrameStack<Self::Frame>)
    {
        self.inner.all_mut()
    }

    fn frame_init(
        &mut self,
        frame: <Self::Frame as FrameTr>::FrameInit,
    ) -> Result<FrameInitResult<'_, Self::Frame>, ContextDbError<Self::Context>> {
        let db = &mut self.inner.ctx.journaled_state.database;
        let creates = matches!(frame.frame_input, FrameInput::Create(_));
        let collisions = creates.then(|| db.collisions.clone()).flatten();
        note_frame(&mut self.inner.ctx, &frame);
        if let Some(collisions) = collisions
            && let Some(result) = collide(&mut self.inner.ctx, &collisions, &frame, |ctx, address| {
                has_storage(ctx, &collisions, address)
            })?
        {
            return Ok(ItemOrResult::Result(result));
        }
        self.inner.frame_init(frame)
    }

    fn frame_run(&mut self) -> Result<FrameInitOrResult<Self::Frame>, ContextDbError<Self::Context>> {
        self.inner.frame_run()
    }

    fn frame_return_result(
        &mut self,
        result: <Self::Frame as FrameTr>::FrameResult,
    ) -> Result<Option<<Self::Frame as FrameTr>::FrameResult>, ContextError<StoreError>> {
        self.inner.frame_return_result(result)
    }
}

/// Whether one of the accounts that had storage in the base state still has it, and nothing else that is in the way of a creation
/// (EIP-7610). Warms the address.
fn has_storage<T: Transaction, C>(
    ctx: &mut Ctx<'_, T, C>,
    collisions: &StorageCollisions,
    address: Address,
) -> Result<bool, StoreError> {
    let account = ctx.journaled_state.load_account(address)?.data;
    let is_free = account.info.nonce == 0 && account.info.is_empty_code_hash();
    let db = &mut ctx.journaled_state.database;
    let Some(access) = db.ledger.access(address) else { return Ok(false) };
    access.nonce = true;
    access.exists = true;
    access.storage = true;
    if !is_free || !access.seen.exists || access.seen.generation != 0 {
        return Ok(false);
    }
    let Some(slot) = collisions.slot(&address) else { return Ok(true) };
    Ok(!db.slot_of_base(address, slot)?.is_zero())
}
