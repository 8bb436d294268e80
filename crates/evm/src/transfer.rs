//! Plain transfers, executed without the interpreter.
//!
//! A call without data to an account without code moves ether, pays for its intrinsic gas and does nothing else. That
//! takes two accounts and an addition each, not a frame, a journal and their clean-up. Everything that could go another
//! way (an error, code, a precompile, an account in two roles, amounts that could overflow) is left to revm's handler.

use crate::base::StoreError;
use crate::db::Db;
use crate::handler::{OrderedHandler, credit};
use crate::location::BALANCE_CAP;
use crate::machine::{Ctx, Machine};
use alloy_primitives::{Address, U256};
use revm::context::{Block, Journal, Transaction, TransactionType, TxEnv};
use revm::handler::{EvmTr, Handler};
use revm::primitives::hardfork::SpecId;
use revm::state::{Account, AccountInfo};

/// The accounts of a plain transfer.
struct Parties {
    sender: Address,
    recipient: Address,
    beneficiary: Address,
}

impl Parties {
    /// Who takes part in `tx`, if it is likely to be a plain transfer.
    fn of(tx: &TxEnv, spec: SpecId, beneficiary: Address) -> Option<Self> {
        let sender = tx.caller;
        let recipient = *tx.kind.to()?;
        let simple_type = [TransactionType::Legacy, TransactionType::Eip2930, TransactionType::Eip1559]
            .contains(&TransactionType::from(tx.tx_type));
        // All precompiles are there, and what RIPEMD-160's account once got a rule of its own for.
        let reserved = recipient[..16] == [0; 16];
        // Later forks log transfers (EIP-7708).
        let logged = spec.is_enabled_in(SpecId::AMSTERDAM);
        let distinct = sender != recipient && sender != beneficiary && recipient != beneficiary;
        (tx.data.is_empty() && simple_type && !reserved && !logged && distinct).then_some(Self {
            sender,
            recipient,
            beneficiary,
        })
    }
}

/// What a plain transfer moves, in wei.
struct Amounts {
    value: U256,
    /// What the sender must have: the value and all the gas at the highest price.
    cost: U256,
    /// What the sender pays for gas.
    fee: U256,
    /// What of it the beneficiary gets.
    reward: U256,
}

impl Amounts {
    fn of(ctx: &Ctx<'_, '_>, gas_used: u64) -> Option<Self> {
        let base_fee = u128::from(ctx.block.basefee());
        let price = ctx.tx.effective_gas_price(base_fee);
        let burnt = if ctx.cfg.spec.is_enabled_in(SpecId::LONDON) { base_fee } else { 0 };
        let gas_used = u128::from(gas_used);
        Some(Self {
            value: ctx.tx.value,
            cost: ctx.tx.max_balance_spending().ok()?,
            fee: U256::from(price.checked_mul(gas_used)?),
            reward: U256::from(price.saturating_sub(burnt).checked_mul(gas_used)?),
        })
    }
}

/// Executes the transaction that is set, if it is a plain transfer that succeeds, and gives the gas used. On `None`
/// nothing has happened.
pub(crate) fn execute<'r, 's: 'r>(machine: &mut Machine<'r, 's>) -> Result<Option<u64>, StoreError> {
    let ctx = machine.ctx_ref();
    let Some(parties) = Parties::of(&ctx.tx, ctx.cfg.spec, ctx.block.beneficiary) else { return Ok(None) };
    let rules = OrderedHandler::default();
    let Ok(gas) = rules.validate_env(machine).and_then(|()| rules.validate_initial_tx_gas(machine)) else {
        return Ok(None);
    };
    let gas_used = gas.initial_total_gas().max(gas.floor_gas());
    let ctx = machine.ctx();
    let Some(amounts) = Amounts::of(ctx, gas_used) else { return Ok(None) };
    Ok(transfer(ctx, &parties, &amounts)?.then_some(gas_used))
}

/// Where the account of a party is kept.
#[derive(Clone, Copy)]
enum Place {
    /// In the journal: an earlier step of the run has loaded it.
    Journal,
    /// Among the database's accesses, with this index.
    Access(usize),
}

/// What a transfer needs to know of a party's account.
struct Party {
    place: Place,
    balance: U256,
    nonce: u64,
    /// Neither code nor so much ether that a sum could overflow.
    simple: bool,
}

impl Party {
    fn find(journal: &mut Journal<Db<'_, '_>>, address: Address) -> Result<Self, StoreError> {
        if let Some(Account { info, .. }) = journal.inner.state.get(&address) {
            let AccountInfo { balance, nonce, .. } = *info;
            let simple = info.is_empty_code_hash() && balance < BALANCE_CAP;
            return Ok(Self { place: Place::Journal, balance, nonce, simple });
        }
        let index = journal.database.find_or_load(address)?;
        let access = &journal.database.accounts[index];
        let (balance, nonce) = access.now;
        let simple = !access.seen.has_code() && balance < BALANCE_CAP && access.seen.balance < BALANCE_CAP;
        Ok(Self { place: Place::Access(index), balance, nonce, simple })
    }

    /// Leaves the account with this balance and nonce.
    fn change(&self, journal: &mut Journal<Db<'_, '_>>, address: Address, (balance, nonce): (U256, u64)) {
        match self.place {
            Place::Journal => {
                if let Some(account) = journal.inner.state.get_mut(&address) {
                    account.mark_touch();
                    (account.info.balance, account.info.nonce) = (balance, nonce);
                    let clear_empty = journal.inner.cfg.spec.is_enabled_in(SpecId::SPURIOUS_DRAGON);
                    if clear_empty && account.is_empty() {
                        journal.database.depart(address, account);
                    }
                }
            }
            Place::Access(index) => {
                let access = &mut journal.database.accounts[index];
                access.now = (balance, nonce);
                access.touched = true;
            }
        }
    }
}

/// Moves the amounts. `false` if the accounts do not allow it as simply as that.
fn transfer(ctx: &mut Ctx<'_, '_>, parties: &Parties, amounts: &Amounts) -> Result<bool, StoreError> {
    let nonce = ctx.tx.nonce;
    let journal = &mut ctx.journaled_state;
    let sender = Party::find(journal, parties.sender)?;
    let Some(next_nonce) = nonce.checked_add(1) else { return Ok(false) };
    let Some(left) = sender.balance.checked_sub(amounts.cost).filter(|_| sender.simple) else {
        return Ok(false);
    };
    let recipient = Party::find(journal, parties.recipient)?;
    if !recipient.simple {
        return Ok(false);
    }
    let speculative = journal.database.view.is_speculative();
    if sender.nonce != nonce {
        let Place::Access(index) = sender.place else { return Ok(false) };
        if !speculative || !journal.database.accounts[index].predict_nonce(nonce) {
            return Ok(false);
        }
    }
    let access = match sender.place {
        Place::Access(index) => journal.database.accounts.get_mut(index),
        Place::Journal if journal.database.is_recording() => journal.database.access(parties.sender),
        Place::Journal => None,
    };
    if let Some(access) = access {
        access.nonce = true;
        access.rely_on_funds(left);
    }
    let sent = amounts.value + amounts.fee;
    sender.change(journal, parties.sender, (sender.balance - sent, next_nonce));
    recipient.change(journal, parties.recipient, (recipient.balance + amounts.value, recipient.nonce));
    credit(ctx, parties.beneficiary, amounts.reward);
    Ok(true)
}
