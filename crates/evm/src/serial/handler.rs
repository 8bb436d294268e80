use super::db::PlainDb;
use crate::protocol::collisions::{StorageCollisions, collide};
use crate::protocol::errors::EvmError;
use crate::protocol::forward::forward_to_inner;
use crate::protocol::{Block, Charge, Protocol};
use crate::state::StoreError;
use alloy_primitives::Address;
use alloy_primitives::map::AddressSet;
use revm::context::result::{ExecutionResult, HaltReason, ResultGas};
use revm::context::{BlockEnv, CfgEnv, Context, Evm, Journal, JournalEntry, JournalTr};
use revm::database_interface::Database;
use revm::handler::instructions::EthInstructions;
use revm::handler::{EthFrame, EvmTr, FrameResult, Handler, ItemOrResult};
use revm::interpreter::interpreter::EthInterpreter;
use revm::interpreter::interpreter_action::FrameInit;
use revm::interpreter::{GasTracker, InitialAndFloorGas};
use revm::state::AccountStatus;

/// revm's context over a store.
pub(super) type Ctx<'s, P> = Context<
    BlockEnv,
    <P as Protocol>::Tx,
    CfgEnv,
    PlainDb<'s>,
    Journal<PlainDb<'s>>,
    <P as Protocol>::Context,
>;
/// revm's EVM.
pub(super) type Plain<'s, P> = Evm<
    Ctx<'s, P>,
    (),
    EthInstructions<EthInterpreter, Ctx<'s, P>>,
    <P as Protocol>::Precompiles<Ctx<'s, P>>,
    EthFrame<EthInterpreter>,
>;
/// The plain loop's handler of a chain.
pub(super) type SerialOf<'b, 's, P> = Serial<'b, P, <P as Protocol>::Handler<Plain<'s, P>>>;

/// A chain's handler, which knows of the addresses where storage is in the way of a creation (EIP-7610), pays fees as the chain
/// says, and tells the journal which accounts are gone when a transaction or system call ends: it goes on, and does not see to that.
pub(super) struct Serial<'b, P: Protocol, H> {
    inner: H,
    pub(super) block: &'b Block<P>,
    /// Accounts that ceased to exist at the end of some transaction.
    pub(super) gone: AddressSet,
    /// Scratch: accounts that the transaction at its end has touched or destroyed.
    ended: Vec<Address>,
}

impl<'b, P: Protocol, H: Default> Serial<'b, P, H> {
    pub(super) fn new(block: &'b Block<P>) -> Self {
        Self { inner: H::default(), block, gone: AddressSet::default(), ended: Vec::new() }
    }
}

impl<'s, P, H> Handler for Serial<'_, P, H>
where
    P: Protocol,
    H: Handler<Evm = Plain<'s, P>, Error = EvmError, HaltReason = HaltReason>,
{
    type Evm = Plain<'s, P>;
    type Error = EvmError;
    type HaltReason = HaltReason;

    forward_to_inner!();

    fn validate_against_state_and_deduct_caller(
        &self,
        evm: &mut Self::Evm,
        gas: &mut InitialAndFloorGas,
    ) -> Result<(), Self::Error> {
        self.inner.validate_against_state_and_deduct_caller(evm, gas)
    }

    fn apply_eip7702_auth_list(
        &self,
        evm: &mut Self::Evm,
        gas: &mut GasTracker,
    ) -> Result<Option<u64>, Self::Error> {
        self.inner.apply_eip7702_auth_list(evm, gas)
    }

    fn run_exec_loop(&mut self, evm: &mut Self::Evm, first: FrameInit) -> Result<FrameResult, Self::Error> {
        if self.collisions().is_none() {
            return self.inner.run_exec_loop(evm, first);
        }
        if let Some(result) = self.begin(evm, first)? {
            return Ok(result);
        }
        loop {
            let ended = match evm.frame_run()? {
                ItemOrResult::Item(next) => self.begin(evm, next)?,
                ItemOrResult::Result(result) => Some(result),
            };
            if let Some(result) = ended
                && let Some(result) = evm.frame_return_result(result)?
            {
                return Ok(result);
            }
        }
    }

    fn reward_beneficiary(&self, evm: &mut Self::Evm, result: &mut FrameResult) -> Result<(), Self::Error> {
        let gas = result.gas();
        let gas_used = gas.used().saturating_sub(gas.reservoir());
        let Ctx::<P> { tx, block, cfg, journaled_state, .. } = &mut evm.ctx;
        let charge = Charge { tx: &*tx, block: &*block, spec: cfg.spec, gas_used };
        let mut paid = Ok(());
        self.block.protocol().pay_fees(&charge, &mut |address, amount| {
            if paid.is_ok() {
                paid = journaled_state.balance_incr(address, amount);
            }
        });
        Ok(paid?)
    }

    fn execution_result(
        &mut self,
        evm: &mut Self::Evm,
        result: FrameResult,
        gas: ResultGas,
    ) -> Result<ExecutionResult<HaltReason>, Self::Error> {
        self.note_ended(evm);
        let result = self.inner.execution_result(evm, result, gas);
        self.forget_the_gone(evm);
        result
    }
}

impl<'b, 's, P: Protocol, H> Serial<'b, P, H> {
    fn collisions(&self) -> Option<&'b StorageCollisions> {
        let collisions = self.block.protocol().storage_collisions()?;
        (!collisions.is_empty()).then_some(&**collisions)
    }

    /// Begins a frame. Gives the result of one that ends at once.
    fn begin(&self, evm: &mut Plain<'s, P>, frame: FrameInit) -> Result<Option<FrameResult>, EvmError> {
        if let Some(collisions) = self.collisions()
            && let Some(result) = collide(&mut evm.ctx, collisions, &frame, |ctx, address| {
                has_storage::<P>(ctx, collisions, address)
            })?
        {
            return Ok(Some(result));
        }
        Ok(match evm.frame_init(frame)? {
            ItemOrResult::Item(_) => None,
            ItemOrResult::Result(result) => Some(result),
        })
    }

    /// Ends what happens before the first transaction, as a transaction ends: what it loaded is cold again, and what it did stays.
    pub(super) fn end_start(&mut self, evm: &mut Plain<'s, P>) {
        self.note_ended(evm);
        evm.ctx.journaled_state.commit_tx();
        self.forget_the_gone(evm);
    }

    fn note_ended(&mut self, evm: &Plain<'s, P>) {
        let entries = evm.ctx.journaled_state.inner.journal.iter();
        self.ended.extend(entries.filter_map(|entry| match entry {
            JournalEntry::AccountTouched { address } | JournalEntry::AccountDestroyed { address, .. } => {
                Some(*address)
            }
            _ => None,
        }));
    }

    /// A transaction's end removes the accounts that it destroyed and, from EIP-161 on, those that it touched and left empty: later
    /// transactions find nothing there.
    fn forget_the_gone(&mut self, evm: &mut Plain<'s, P>) {
        let clear_empty = self.block.clears_empty_accounts();
        let state = &mut evm.ctx.journaled_state.inner.state;
        for address in self.ended.drain(..) {
            let Some(account) = state.get_mut(&address).filter(|account| account.is_touched()) else {
                continue;
            };
            if account.is_selfdestructed_locally() || (clear_empty && account.info.is_empty()) {
                account.unmark_touch();
                account.status |= AccountStatus::LoadedAsNotExisting;
                self.gone.insert(address);
            }
        }
    }
}

/// Whether an account that had nothing but storage in the base state is still as it was. Warms the address.
fn has_storage<P: Protocol>(
    ctx: &mut Ctx<'_, P>,
    collisions: &StorageCollisions,
    address: Address,
) -> Result<bool, StoreError> {
    let account = ctx.journaled_state.load_account(address)?.data;
    let is_there = !account.status.contains(AccountStatus::LoadedAsNotExisting);
    if !is_there || account.info.nonce != 0 || !account.info.is_empty_code_hash() {
        return Ok(false);
    }
    let Some(slot) = collisions.slot(&address) else { return Ok(true) };
    Ok(!ctx.journaled_state.database.storage(address, slot)?.is_zero())
}
