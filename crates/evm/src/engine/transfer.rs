//! Plain transfers, executed without the interpreter.
//!
//! A call without data to an account without code moves ether, pays for its intrinsic gas and does nothing else. That
//! takes two accounts and an addition each, not a frame, a journal and their clean-up. Everything that could go another
//! way (an error, code, a precompile, an account in two roles, amounts that could overflow) is left to revm's handler.

use super::context::{Ctx, CtxOf};
use super::db::Db;
use super::location::BALANCE_CAP;
use super::machine::Machine;
use super::ordered::{OrderedOf, pay_fees};
use crate::protocol::sender::SenderRule;
use crate::protocol::{Block, Charge, Protocol};
use crate::state::StoreError;
use alloy_primitives::{Address, Bytes, U256};
use revm::context::result::{ExecutionResult, Output, ResultGas, SuccessReason};
use revm::context::{Journal, Transaction};
use revm::handler::{EvmTr, Handler};
use revm::primitives::hardfork::SpecId;
use revm::state::{Account, AccountInfo};

/// What a plain transfer moves, in wei.
struct Transfer {
    sender: Address,
    recipient: Address,
    value: U256,
    /// What the sender must have.
    cost: U256,
    /// What the sender pays for gas.
    fee: U256,
}

impl Transfer {
    /// `None` if the transaction that is set had better be executed by the handler.
    fn of<P: Protocol>(ctx: &CtxOf<'_, P>, protocol: &P, gas_used: u64) -> Option<Self> {
        let tx = &ctx.tx;
        let SenderRule::Standard { cost } = protocol.sender_rule(tx) else { return None };
        let price = tx.effective_gas_price(u128::from(ctx.block.basefee));
        let transfer = Self {
            sender: tx.caller(),
            recipient: *tx.kind().to()?,
            value: tx.value(),
            cost,
            fee: U256::from(price.checked_mul(u128::from(gas_used))?),
        };
        let mut distinct = transfer.sender != transfer.recipient;
        let charge = Charge { tx, block: &ctx.block, spec: ctx.cfg.spec, gas_used };
        protocol.pay_fees(&charge, &mut |address, _| {
            distinct &= address != transfer.sender && address != transfer.recipient;
        });
        distinct.then_some(transfer)
    }
}

/// Executes the transaction that is set, if it is a plain transfer that succeeds, and says what came of it. On `None`
/// nothing has happened.
pub(crate) fn execute<'r, P: Protocol>(
    machine: &mut Machine<'r, P>,
    block: &Block<P>,
) -> Result<Option<ExecutionResult>, StoreError> {
    let protocol = &**block.protocol();
    if !protocol.is_plain_transfer(block, &machine.ctx_ref().tx) {
        return Ok(None);
    }
    let rules = OrderedOf::<P, Machine<'r, P>>::default();
    let Ok(gas) = rules.validate_env(machine).and_then(|()| rules.validate_initial_tx_gas(machine)) else {
        return Ok(None);
    };
    let gas_used = gas.initial_total_gas().max(gas.floor_gas());
    let ctx = machine.ctx();
    let Some(transfer) = Transfer::of::<P>(ctx, protocol, gas_used) else { return Ok(None) };
    if !move_funds(ctx, &transfer)? {
        return Ok(None);
    }
    pay_fees(machine, gas_used)?;
    let gas =
        ResultGas::default().with_total_gas_spent(gas.initial_total_gas()).with_floor_gas(gas.floor_gas());
    Ok(Some(ExecutionResult::Success {
        reason: SuccessReason::Stop,
        gas,
        logs: Vec::new(),
        output: Output::Call(Bytes::new()),
    }))
}

/// Where a party's account comes from.
#[derive(Clone, Copy)]
enum AccountSource {
    /// In the journal: an earlier step of the run has loaded it.
    Journal,
    /// Among the database's accesses, with this index.
    Access(usize),
}

/// What a transfer needs to know of a party's account.
struct Party {
    source: AccountSource,
    balance: U256,
    nonce: u64,
    /// Neither code nor so much ether that a sum could overflow.
    simple: bool,
}

impl Party {
    fn find(journal: &mut Journal<Db<'_>>, address: Address) -> Result<Self, StoreError> {
        if let Some(Account { info, .. }) = journal.inner.state.get(&address) {
            let AccountInfo { balance, nonce, .. } = *info;
            let simple = info.is_empty_code_hash() && balance < BALANCE_CAP;
            return Ok(Self { source: AccountSource::Journal, balance, nonce, simple });
        }
        let index = journal.database.find_or_load(address)?;
        let access = &journal.database.ledger.accounts[index];
        let (balance, nonce) = access.now;
        let simple = !access.seen.has_code() && balance < BALANCE_CAP && access.seen.balance < BALANCE_CAP;
        Ok(Self { source: AccountSource::Access(index), balance, nonce, simple })
    }

    /// Leaves the account with this balance and nonce.
    fn change(&self, journal: &mut Journal<Db<'_>>, address: Address, (balance, nonce): (U256, u64)) {
        match self.source {
            AccountSource::Journal => {
                if let Some(account) = journal.inner.state.get_mut(&address) {
                    journal.database.note_account(address, account);
                    account.mark_touch();
                    (account.info.balance, account.info.nonce) = (balance, nonce);
                    let clear_empty = journal.inner.cfg.spec.is_enabled_in(SpecId::SPURIOUS_DRAGON);
                    if clear_empty && account.is_empty() {
                        journal.database.ledger.depart(address, account);
                    }
                }
            }
            AccountSource::Access(index) => {
                let access = &mut journal.database.ledger.accounts[index];
                access.now = (balance, nonce);
                access.touched = true;
            }
        }
    }
}

/// Moves the amounts. `false` if the accounts do not allow it as simply as that.
fn move_funds<T: Transaction, C>(ctx: &mut Ctx<'_, T, C>, transfer: &Transfer) -> Result<bool, StoreError> {
    let nonce = ctx.tx.nonce();
    let journal = &mut ctx.journaled_state;
    let sender = Party::find(journal, transfer.sender)?;
    let Some(next_nonce) = nonce.checked_add(1) else { return Ok(false) };
    let Some(left) = sender.balance.checked_sub(transfer.cost).filter(|_| sender.simple) else {
        return Ok(false);
    };
    let recipient = Party::find(journal, transfer.recipient)?;
    if !recipient.simple {
        return Ok(false);
    }
    let speculative = journal.database.view.is_speculative();
    if sender.nonce != nonce {
        let AccountSource::Access(index) = sender.source else { return Ok(false) };
        if !speculative || !journal.database.ledger.accounts[index].predict_nonce(nonce) {
            return Ok(false);
        }
    }
    let access = match sender.source {
        AccountSource::Access(index) => journal.database.ledger.accounts.get_mut(index),
        AccountSource::Journal if journal.database.is_recording() => {
            journal.database.ledger.access(transfer.sender)
        }
        AccountSource::Journal => None,
    };
    if let Some(access) = access {
        access.nonce = true;
        access.rely_on_funds(left);
    }
    let sent = transfer.value + transfer.fee;
    sender.change(journal, transfer.sender, (sender.balance - sent, next_nonce));
    recipient.change(journal, transfer.recipient, (recipient.balance + transfer.value, recipient.nonce));
    Ok(true)
}
