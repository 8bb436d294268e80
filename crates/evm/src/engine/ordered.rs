use super::context::{Ctx, CtxOf};
use super::db::Db;
use super::location::AccountState;
use super::recorder::Recorder;
use crate::protocol::errors::EvmError;
use crate::protocol::forward::forward_to_inner;
use crate::protocol::sender::SenderRule;
use crate::protocol::{Charge, Protocol};
use crate::state::StoreError;
use alloy_primitives::{Address, U256};
use revm::context::result::{ExecutionResult, HaltReason, ResultGas};
use revm::context::transaction::AuthorizationTr;
use revm::context::{Journal, JournalEntry, JournalTr, Transaction, TransactionType};
use revm::handler::{FrameResult, Handler};
use revm::interpreter::{GasTracker, InitialAndFloorGas};
use revm::primitives::PRECOMPILE3;
use revm::primitives::hardfork::SpecId;

/// A chain's handler, with three steps done so that transactions depend on less:
///
/// * The sender's nonce is predicted to be the transaction's, instead of read.
/// * The sender's funds check is a lower bound on the balance.
/// * Fees are credits to balances that are not read.
///
/// The steps in between are the handler's own; their order is revm's.
#[derive(Default)]
pub(crate) struct Ordered<H> {
    inner: H,
}

/// A chain's handler of an EVM's transactions.
pub(crate) type OrderedOf<P, E> = Ordered<<P as Protocol>::Handler<E>>;

impl<'r, E, H> Handler for Ordered<H>
where
    E: Recorder<'r>,
    H: Handler<Evm = E, Error = EvmError, HaltReason = HaltReason>,
{
    type Evm = E;
    type Error = EvmError;
    type HaltReason = HaltReason;

    forward_to_inner!();

    fn validate_against_state_and_deduct_caller(
        &self,
        evm: &mut Self::Evm,
        gas: &mut InitialAndFloorGas,
    ) -> Result<(), Self::Error> {
        let (ctx, protocol) = evm.ctx_and_protocol();
        if !ctx.journaled_state.database.is_recording() {
            return self.inner.validate_against_state_and_deduct_caller(evm, gas);
        }
        // At its turn a nonce is what it is.
        let predicted = ctx.journaled_state.database.view.is_speculative();
        let sender = ctx.tx.caller();
        let nonce = ctx.tx.nonce();
        ctx.journaled_state.load_account_with_code(sender)?;
        let Journal { inner, database: db } = &mut ctx.journaled_state;
        if let (Some(account), Some(access)) = (inner.state.get_mut(&sender), db.ledger.access(sender)) {
            match protocol.sender_rule(&ctx.tx) {
                SenderRule::Standard { cost } => {
                    if predicted && access.predict_nonce(nonce) {
                        account.info.nonce = nonce;
                    }
                    access.nonce = true;
                    access.rely_on_funds(account.info.balance.saturating_sub(cost));
                }
                SenderRule::Exact => access.rely_on_all(),
            }
        }
        self.inner.validate_against_state_and_deduct_caller(evm, gas)
    }

    fn apply_eip7702_auth_list(
        &self,
        evm: &mut Self::Evm,
        gas: &mut GasTracker,
    ) -> Result<Option<u64>, Self::Error> {
        let refund = self.inner.apply_eip7702_auth_list(evm, gas)?;
        let ctx = evm.ctx();
        if ctx.tx.tx_type() == TransactionType::Eip7702 && ctx.journaled_state.database.is_recording() {
            let tx = ctx.tx.clone();
            for authority in tx.authorization_list().filter_map(|authorization| authorization.authority()) {
                let Some(access) = ctx.journaled_state.database.ledger.access(authority) else { continue };
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
        let gas = result.gas();
        Ok(pay_fees(evm, gas.used().saturating_sub(gas.reservoir()))?)
    }

    fn execution_result(
        &mut self,
        evm: &mut Self::Evm,
        result: FrameResult,
        gas: ResultGas,
    ) -> Result<ExecutionResult<HaltReason>, Self::Error> {
        end_transaction(evm.ctx());
        self.inner.execution_result(evm, result, gas)
    }
}

/// Pays the fees of the transaction that is set.
pub(super) fn pay_fees<'r, E: Recorder<'r>>(evm: &mut E, gas_used: u64) -> Result<(), StoreError> {
    let (ctx, protocol) = evm.ctx_and_protocol();
    let CtxOf::<E::Protocol> { tx, block, cfg, journaled_state, .. } = ctx;
    let charge = Charge { tx, block, spec: cfg.spec, gas_used };
    let (spec, shown) = (cfg.spec, journaled_state.database.ledger.inspected);
    let mut paid = Ok(());
    protocol.pay_fees(&charge, &mut |address, amount| {
        if shown && paid.is_ok() {
            // Who watches may look at the account.
            paid = journaled_state.load_account(address).map(drop);
        }
        credit(journaled_state, spec, address, amount);
    });
    paid
}

/// Ends what happens before the first transaction, as a transaction ends: what it loaded is cold again, and what it did stays.
pub(crate) fn end_start<T: Transaction, C>(ctx: &mut Ctx<'_, T, C>) {
    end_transaction(ctx);
    ctx.journaled_state.commit_tx();
}

/// Notes what a transaction leaves behind, before the journal forgets where it was.
pub(crate) fn end_transaction<T: Transaction, C>(ctx: &mut Ctx<'_, T, C>) {
    note_changes(ctx);
    forget_the_gone(ctx);
}

/// Notes what the transaction that ends has changed.
fn note_changes<T: Transaction, C>(ctx: &mut Ctx<'_, T, C>) {
    let clear_empty = ctx.cfg.spec.is_enabled_in(SpecId::SPURIOUS_DRAGON);
    let Journal { inner, database: db } = &mut ctx.journaled_state;
    for entry in &inner.journal {
        let changed = match *entry {
            JournalEntry::AccountWarmed { .. }
            | JournalEntry::AccountTouched { .. }
            | JournalEntry::StorageWarmed { .. }
            | JournalEntry::TransientStorageChange { .. } => continue,
            JournalEntry::StorageChanged { address, key, had_value } => {
                if let Some(account) = inner.state.get(&address).filter(|account| !account.is_created()) {
                    db.note_account(address, account);
                    db.note_slot(address, key, had_value);
                }
                continue;
            }
            _ if db.ledger.notes_loads => continue,
            JournalEntry::AccountDestroyed { address, target, .. } => [Some(address), Some(target)],
            JournalEntry::BalanceTransfer { from, to, .. } => [Some(from), Some(to)],
            JournalEntry::BalanceChange { address, .. }
            | JournalEntry::NonceChange { address, .. }
            | JournalEntry::NonceBump { address }
            | JournalEntry::AccountCreated { address, .. }
            | JournalEntry::CodeChange { address, .. } => [Some(address), None],
        };
        for address in changed.into_iter().flatten() {
            if let Some(account) = inner.state.get(&address) {
                db.note_account(address, account);
            }
        }
    }
    if db.ledger.notes_loads {
        return;
    }
    for address in touched(&inner.journal) {
        // Being touched changes an account that is empty: it is removed, or before EIP-161 comes into being.
        if let Some(account) = inner.state.get(&address)
            && account.is_touched()
            && account.is_empty()
            && !(clear_empty && account.is_loaded_as_not_existing())
        {
            db.note_account(address, account);
        }
    }
}

/// The accounts that the transaction that ends has touched for the first time in its run, and one whose touch is never reverted, if it was
/// touched at all.
fn touched(journal: &[JournalEntry]) -> impl Iterator<Item = Address> {
    let journaled = journal.iter().filter_map(|entry| match entry {
        JournalEntry::AccountTouched { address } => Some(*address),
        _ => None,
    });
    journaled.chain([PRECOMPILE3])
}

/// A transaction's end removes the accounts that it touched and left empty (EIP-161). The journal goes on in a run, so it must be
/// told that later transactions find nothing there.
fn forget_the_gone<T: Transaction, C>(ctx: &mut Ctx<'_, T, C>) {
    if !ctx.cfg.spec.is_enabled_in(SpecId::SPURIOUS_DRAGON) {
        return;
    }
    let Journal { inner, database: db } = &mut ctx.journaled_state;
    for address in touched(&inner.journal) {
        if let Some(account) = inner.state.get_mut(&address)
            && account.is_touched()
            && account.is_empty()
            && !account.is_selfdestructed()
        {
            db.ledger.depart(address, account);
        }
    }
}

/// Adds to a balance: in the journal if the account is loaded, else without reading it. Nothing of it is reverted, and nobody is any
/// warmer for it.
pub(crate) fn credit(journal: &mut Journal<Db<'_>>, spec: SpecId, address: Address, amount: U256) {
    let Journal { inner, database: db } = journal;
    let Some(account) = inner.state.get_mut(&address) else { return db.ledger.credit(address, amount) };
    db.note_account(address, account);
    account.mark_touch();
    let balance = &mut account.info.balance;
    *balance = balance.checked_add(amount).unwrap_or(*balance);
    // Nothing but credits comes after a credit in its step.
    if account.is_empty() && spec.is_enabled_in(SpecId::SPURIOUS_DRAGON) {
        db.ledger.depart(address, account);
    }
}
