use crate::location::AccountState;
use crate::machine::{Ctx, Machine, MachineError};
use alloy_primitives::{Address, U256};
use revm::context::result::{ExecutionResult, HaltReason, ResultGas};
use revm::context::transaction::AuthorizationTr;
use revm::context::{Block, Journal, JournalEntry, JournalTr, Transaction, TransactionType};
use revm::handler::pre_execution;
use revm::handler::{EthFrame, EvmTr, FrameResult, Handler, MainnetHandler};
use revm::interpreter::{GasTracker, InitialAndFloorGas};
use revm::primitives::hardfork::SpecId;
use std::marker::PhantomData;

/// Mainnet's rules, with three steps done so that transactions depend on less:
///
/// * The sender's nonce is predicted to be the transaction's, instead of read.
/// * The sender's funds check is a lower bound on the balance.
/// * The beneficiary's reward is a credit to a balance that is not read.
pub(crate) struct OrderedHandler<'r, 's>(PhantomData<(&'r (), &'s ())>);

impl Default for OrderedHandler<'_, '_> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<'r, 's: 'r> Handler for OrderedHandler<'r, 's> {
    type Evm = Machine<'r, 's>;
    type Error = MachineError;
    type HaltReason = HaltReason;

    fn validate_against_state_and_deduct_caller(
        &self,
        evm: &mut Self::Evm,
        _gas: &mut InitialAndFloorGas,
    ) -> Result<(), Self::Error> {
        let ctx = evm.ctx();
        if !ctx.journaled_state.database.is_recording() {
            return pre_execution::validate_against_state_and_deduct_caller(ctx);
        }
        // At its turn a nonce is what it is.
        let predicted = ctx.journaled_state.database.view.is_speculative();
        let sender = ctx.tx.caller();
        let nonce = ctx.tx.nonce();
        ctx.journaled_state.load_account_with_code(sender)?;
        let mut balance = U256::ZERO;
        let cost = ctx.tx.max_balance_spending().unwrap_or(U256::MAX);
        let Journal { inner, database: db } = &mut ctx.journaled_state;
        if let (Some(account), Some(access)) = (inner.state.get_mut(&sender), db.access(sender)) {
            balance = account.info.balance;
            if predicted && access.predict_nonce(nonce) {
                account.info.nonce = nonce;
            }
            access.nonce = true;
        }
        db.rely_on_funds(sender, balance.saturating_sub(cost));
        pre_execution::validate_against_state_and_deduct_caller(ctx)
    }

    fn apply_eip7702_auth_list(
        &self,
        evm: &mut Self::Evm,
        gas: &mut GasTracker,
    ) -> Result<Option<u64>, Self::Error> {
        let ctx = evm.ctx();
        let refund = pre_execution::apply_eip7702_auth_list::<_, Self::Error>(ctx, gas)?;
        if ctx.tx.tx_type() == TransactionType::Eip7702 && ctx.journaled_state.database.is_recording() {
            let tx = ctx.tx.clone();
            for authority in tx.authorization_list().filter_map(|authorization| authorization.authority()) {
                let Some(access) = ctx.journaled_state.database.access(authority) else { continue };
                access.nonce = true;
                access.exists = true;
                // Without nonce and code, only the balance tells whether the authority is empty.
                access.balance |=
                    matches!(access.seen, AccountState { nonce: 0, .. }) && !access.seen.has_code();
            }
        }
        Ok(refund)
    }

    fn reward_beneficiary(&self, evm: &mut Self::Evm, result: &mut FrameResult) -> Result<(), Self::Error> {
        let ctx = evm.ctx();
        let gas = result.gas();
        let beneficiary = ctx.block.beneficiary();
        let base_fee = u128::from(ctx.block.basefee());
        let mut price = ctx.tx.effective_gas_price(base_fee);
        if ctx.cfg.spec.is_enabled_in(SpecId::LONDON) {
            price = price.saturating_sub(base_fee);
        }
        let used = gas.used().saturating_sub(gas.reservoir());
        credit(ctx, beneficiary, U256::from(price * u128::from(used)));
        Ok(())
    }

    fn execution_result(
        &mut self,
        evm: &mut Self::Evm,
        result: FrameResult,
        gas: ResultGas,
    ) -> Result<ExecutionResult<HaltReason>, Self::Error> {
        forget_the_gone(evm.ctx());
        MainnetHandler::<Self::Evm, Self::Error, EthFrame>::default().execution_result(evm, result, gas)
    }
}

/// A transaction's end removes the accounts that it touched and left empty (EIP-161). The journal goes on in a run, so it must be
/// told that later transactions find nothing there.
fn forget_the_gone(ctx: &mut Ctx<'_, '_>) {
    if !ctx.cfg.spec.is_enabled_in(SpecId::SPURIOUS_DRAGON) {
        return;
    }
    let Journal { inner, database: db } = &mut ctx.journaled_state;
    for entry in &inner.journal {
        if let JournalEntry::AccountTouched { address } = entry
            && let Some(account) = inner.state.get_mut(address)
            && account.is_touched()
            && account.is_empty()
            && !account.is_selfdestructed()
        {
            db.depart(*address, account);
        }
    }
}

/// Adds to a balance: in the journal if the account is loaded, else without reading it. Nothing of it is reverted, and nobody is any
/// warmer for it.
pub(crate) fn credit(ctx: &mut Ctx<'_, '_>, address: Address, amount: U256) {
    let Journal { inner, database: db } = &mut ctx.journaled_state;
    if let Some(account) = inner.state.get_mut(&address) {
        account.mark_touch();
        let balance = &mut account.info.balance;
        *balance = balance.checked_add(amount).unwrap_or(*balance);
        // Nothing but credits comes after a credit in its step.
        if account.is_empty() && ctx.cfg.spec.is_enabled_in(SpecId::SPURIOUS_DRAGON) {
            db.depart(address, account);
        }
        return;
    }
    // Credits of one step go together, those of different steps do not: if one overflows, others may not.
    match db.credits[db.earlier_credits..].iter_mut().find(|(other, _)| *other == address) {
        Some((_, sum)) => *sum = sum.saturating_add(amount),
        None => db.credits.push((address, amount)),
    }
}
