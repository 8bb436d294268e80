//! revm, put together so that it records what a result relies on.

use crate::base::StoreError;
use crate::block::Block;
use crate::db::Db;
use crate::hashes;
use crate::net_gas;
use crate::noted;
use crate::occupied::collide;
use crate::trace::Notes;
use alloy_primitives::{Address, U256};
use revm::bytecode::opcode::{BALANCE, CALL, EXTCODEHASH, KECCAK256, SELFBALANCE, SELFDESTRUCT, SSTORE};
use revm::context::result::{EVMError, InvalidTransaction};
use revm::context::{
    BlockEnv, Cfg, CfgEnv, Context, ContextError, Evm, FrameStack, Journal, LocalContextTr, TxEnv,
};
use revm::handler::evm::{ContextDbError, EvmTr, FrameInitResult, FrameTr};
use revm::handler::instructions::EthInstructions;
use revm::handler::{EthFrame, EthPrecompiles, FrameInitOrResult, ItemOrResult};
use revm::interpreter::instructions::{contract, host};
use revm::interpreter::interpreter::EthInterpreter;
use revm::interpreter::interpreter_action::FrameInit;
use revm::interpreter::interpreter_types::InputsTr;
use revm::interpreter::{CallValue, FrameInput, Instruction, InstructionContext, InstructionExecResult};
use revm::primitives::hardfork::SpecId;
use revm::state::EvmState;
use std::sync::Arc;

/// Accounts that the journal keeps room for.
const KEPT_ACCOUNTS: usize = 256;

/// revm's context over a worker's view.
pub(crate) type Ctx<'r, 's> = Context<BlockEnv, Arc<TxEnv>, CfgEnv, Db<'r, 's>>;
/// What can go wrong inside the EVM.
pub(crate) type MachineError = EVMError<StoreError, InvalidTransaction>;

type Inner<'r, 's> = Evm<
    Ctx<'r, 's>,
    (),
    EthInstructions<EthInterpreter, Ctx<'r, 's>>,
    EthPrecompiles,
    EthFrame<EthInterpreter>,
>;

/// An EVM that notes funds checks and every instruction that shows a balance.
pub(crate) struct Machine<'r, 's> {
    inner: Inner<'r, 's>,
    /// Whether SSTORE has the rules of EIP-1283.
    net_gas: bool,
}

impl<'r, 's: 'r> Machine<'r, 's> {
    pub(crate) fn new(db: Db<'r, 's>) -> Self {
        let spec = SpecId::default();
        let ctx: Ctx<'r, 's> = Context {
            block: BlockEnv::default(),
            tx: Arc::new(TxEnv::default()),
            cfg: CfgEnv::new_with_spec(spec),
            journaled_state: Journal::new_with_inner(db, Default::default()),
            chain: (),
            local: Default::default(),
            error: Ok(()),
        };
        let inner = Evm::new(ctx, instructions(spec), EthPrecompiles::new(spec));
        Self { inner, net_gas: false }
    }

    /// Notes for a trace what transactions hash and store, from the next block on.
    pub(crate) fn trace(&mut self) {
        self.db().notes = Some(Notes::default());
        self.note_for_trace();
    }

    fn note_for_trace(&mut self) {
        let table = self.inner.instruction.instruction_table_mut();
        table[KECCAK256 as usize] = Instruction::new(noted::keccak256);
        if !self.net_gas {
            table[SSTORE as usize] = Instruction::new(noted::sstore);
        }
    }

    pub(crate) fn db(&mut self) -> &mut Db<'r, 's> {
        &mut self.inner.ctx.journaled_state.database
    }

    /// Takes over a block's environment, and its rules if they differ from the last block's.
    pub(crate) fn set_block(&mut self, block: &Block) {
        let Block { cfg, env, .. } = block;
        let (spec, net_gas) = (cfg.spec, block.has_net_gas());
        if spec != self.inner.ctx.cfg.spec || net_gas != self.net_gas {
            self.inner.instruction = instructions(spec);
            self.inner.precompiles = EthPrecompiles::new(spec);
            if net_gas {
                let table = self.inner.instruction.instruction_table_mut();
                table[SSTORE as usize] = Instruction::new(net_gas::sstore);
            }
            self.net_gas = net_gas;
            if self.db().notes.is_some() {
                self.note_for_trace();
            }
        }
        let db = self.db();
        db.occupied.clone_from(block.chain.occupied());
        db.delegates = block.is_enabled(SpecId::PRAGUE);
        let ctx = &mut self.inner.ctx;
        ctx.cfg = cfg.clone();
        ctx.block = env.clone();
        let journal = &mut ctx.journaled_state.inner;
        journal.warm_addresses = Default::default();
        journal.cfg.spec = spec;
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
}

impl<'r, 's: 'r> EvmTr for Machine<'r, 's> {
    type Context = Ctx<'r, 's>;
    type Instructions = EthInstructions<EthInterpreter, Ctx<'r, 's>>;
    type Precompiles = EthPrecompiles;
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
        let occupied = (creates && !db.occupied.is_empty()).then(|| db.occupied.clone());
        if db.is_recording() {
            note_frame(&mut self.inner.ctx, &frame);
        }
        if let Some(occupied) = occupied
            && let Some(result) = collide(&mut self.inner.ctx, &occupied, &frame)?
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

/// The current balance of an account that the step has loaded.
fn balance(ctx: &Ctx<'_, '_>, address: Address) -> Option<U256> {
    ctx.journaled_state.inner.state.get(&address).map(|account| account.info.balance)
}

/// Notes the funds check with which a frame begins, and the nonces that a creation depends on.
fn note_frame(ctx: &mut Ctx<'_, '_>, frame: &FrameInit) {
    match &frame.frame_input {
        FrameInput::Call(inputs) => {
            if let CallValue::Transfer(value) = inputs.value {
                note_outflow(ctx, inputs.caller, value);
            }
        }
        FrameInput::Create(inputs) => {
            let caller = inputs.caller();
            note_outflow(ctx, caller, inputs.value());
            let nonce = ctx.journaled_state.inner.state.get(&caller).map(|account| account.info.nonce);
            let db = &mut ctx.journaled_state.database;
            if let Some(access) = db.access(caller) {
                access.nonce = true;
            }
            if let Some(nonce) = nonce {
                db.creations.push(inputs.created_address(nonce));
            }
        }
        FrameInput::Empty => {}
    }
}

/// Notes that `value` is about to be taken from an account if it is there.
fn note_outflow(ctx: &mut Ctx<'_, '_>, from: Address, value: U256) {
    if value.is_zero() {
        return;
    }
    let left = balance(ctx, from).and_then(|balance| balance.checked_sub(value));
    let db = &mut ctx.journaled_state.database;
    match left {
        Some(left) => db.rely_on_funds(from, left),
        None => show_balance(db, from),
    }
}

/// Notes that an account's balance was seen.
pub(crate) fn show_balance(db: &mut Db<'_, '_>, address: Address) {
    if let Some(access) = db.access(address) {
        access.balance = true;
    }
}

/// Notes that a result depends on whether an account is empty, given its balance now.
fn note_emptiness(ctx: &mut Ctx<'_, '_>, address: Address, balance: U256) {
    let Some(info) = ctx.journaled_state.inner.state.get(&address).map(|account| &account.info) else {
        return;
    };
    let (nonce, has_code) = (info.nonce, !info.is_empty_code_hash());
    let before_eip_161 = !ctx.cfg.spec.is_enabled_in(SpecId::SPURIOUS_DRAGON);
    let Some(access) = ctx.journaled_state.database.access(address) else { return };
    if before_eip_161 {
        access.exists = true;
    } else if has_code {
        // Code is always observed.
    } else if let Some(left) = balance.checked_sub(U256::ONE) {
        access.rely_on_funds(left);
    } else {
        access.nonce = true;
        access.balance |= nonce == 0;
    }
}

/// The instruction table with the instructions replaced that show a balance.
fn instructions<'r, 's: 'r>(spec: SpecId) -> EthInstructions<EthInterpreter, Ctx<'r, 's>> {
    let mut instructions = EthInstructions::new_mainnet_with_spec(spec);
    let table = instructions.instruction_table_mut();
    table[KECCAK256 as usize] = Instruction::new(hashes::keccak256);
    table[BALANCE as usize] = Instruction::new(noted_balance);
    table[SELFBALANCE as usize] = Instruction::new(noted_selfbalance);
    table[EXTCODEHASH as usize] = Instruction::new(noted_extcodehash);
    table[CALL as usize] = Instruction::new(noted_call);
    table[SELFDESTRUCT as usize] = Instruction::new(noted_selfdestruct);
    instructions
}

pub(crate) type Ictx<'a, 'r, 's> = InstructionContext<'a, Ctx<'r, 's>, EthInterpreter>;

/// The same context, for a shorter time.
pub(crate) fn again<'a, 'r, 's>(context: &'a mut Ictx<'_, 'r, 's>) -> Ictx<'a, 'r, 's> {
    InstructionContext { interpreter: context.interpreter, host: context.host }
}

/// The address `depth` places below the top of the stack.
fn peek_address(context: &Ictx<'_, '_, '_>, depth: usize) -> Option<Address> {
    let word = context.interpreter.stack.peek(depth).ok()?;
    Some(Address::from_word(word.into()))
}

fn recording(context: &Ictx<'_, '_, '_>) -> bool {
    context.host.journaled_state.database.is_recording()
}

fn noted_balance(mut context: Ictx<'_, '_, '_>) -> InstructionExecResult {
    if !recording(&context) {
        return host::balance(context);
    }
    let address = peek_address(&context, 0);
    let result = host::balance(again(&mut context));
    if let Some(address) = address {
        show_balance(&mut context.host.journaled_state.database, address);
    }
    result
}

fn noted_selfbalance(mut context: Ictx<'_, '_, '_>) -> InstructionExecResult {
    if recording(&context) {
        let address = context.interpreter.input.target_address();
        show_balance(&mut context.host.journaled_state.database, address);
    }
    host::selfbalance(again(&mut context))
}

fn noted_extcodehash(mut context: Ictx<'_, '_, '_>) -> InstructionExecResult {
    if !recording(&context) {
        return host::extcodehash(context);
    }
    let address = peek_address(&context, 0);
    let result = host::extcodehash(again(&mut context));
    if let Some(address) = address
        && let Some(balance) = balance(context.host, address)
    {
        note_emptiness(context.host, address, balance);
    }
    result
}

/// CALL charges for a new account where the callee is empty, if it sends value, and before EIP-161 in any case.
fn noted_call(mut context: Ictx<'_, '_, '_>) -> InstructionExecResult {
    if !recording(&context) {
        return contract::call::<CALL, _, _>(context);
    }
    let callee = peek_address(&context, 1);
    let sends = context.interpreter.stack.peek(2).is_ok_and(|value| !value.is_zero());
    let result = contract::call::<CALL, _, _>(again(&mut context));
    let charged = sends || !context.host.cfg.spec.is_enabled_in(SpecId::SPURIOUS_DRAGON);
    if charged
        && let Some(callee) = callee
        && let Some(balance) = balance(context.host, callee)
    {
        note_emptiness(context.host, callee, balance);
    }
    result
}

/// SELFDESTRUCT moves the whole balance, and charges for a target that is empty.
fn noted_selfdestruct(mut context: Ictx<'_, '_, '_>) -> InstructionExecResult {
    context.host.journaled_state.database.closed = true;
    if !recording(&context) {
        return host::selfdestruct(context);
    }
    let source = context.interpreter.input.target_address();
    let target = peek_address(&context, 0);
    let swept = balance(context.host, source).unwrap_or_default();
    let result = host::selfdestruct(again(&mut context));
    let Some(target) = target else { return result };
    let before = match balance(context.host, target) {
        Some(after) if target != source => Some(after.wrapping_sub(swept)),
        other => other,
    };
    if let Some(before) = before {
        note_emptiness(context.host, target, before);
    }
    context.host.journaled_state.database.note_sweep(source, target, swept);
    result
}
