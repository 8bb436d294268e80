//! Plain transfers, executed without the interpreter.
//!
//! A call without data to an account without code moves ether, pays for its intrinsic gas and does nothing else. That
//! takes two accounts and an addition each, not a frame, a journal and their clean-up. Everything that could go another
//! way (an error, code, a precompile, an account in two roles, amounts that could overflow) is left to revm's handler.

use crate::db::StoreError;
use crate::handler::OrderedHandler;
use crate::location::{AccountEffect, AccountObservation, AccountState, BALANCE_CAP, Change, Life, Observed};
use crate::machine::{Ctx, Machine};
use alloy_primitives::{Address, U256};
use revm::context::{Block, Transaction, TransactionType, TxEnv};
use revm::database_interface::DatabaseRef;
use revm::handler::{EvmTr, Handler};
use revm::primitives::hardfork::SpecId;
use tandem_stm::{Delta, Effect, Observation};

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
    fn of<S: DatabaseRef + Sync>(ctx: &Ctx<'_, '_, S>, gas_used: u64) -> Option<Self> {
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
pub(crate) fn execute<'r, 's: 'r, S: DatabaseRef + Sync + 's>(
    machine: &mut Machine<'r, 's, S>,
) -> Result<Option<u64>, StoreError<S::Error>> {
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

/// Moves the amounts. `false` if the accounts do not allow it as simply as that.
fn transfer<S: DatabaseRef + Sync>(
    ctx: &mut Ctx<'_, '_, S>,
    parties: &Parties,
    amounts: &Amounts,
) -> Result<bool, StoreError<S::Error>> {
    let clear_empty = ctx.cfg.spec.is_enabled_in(SpecId::SPURIOUS_DRAGON);
    let nonce = ctx.tx.nonce;
    let db = &mut ctx.journaled_state.database;
    let (sender, mut sender_sighting) = db.load(parties.sender)?;
    if sender.nonce != nonce {
        if !db.view.is_speculative() {
            return Ok(false);
        }
        sender_sighting = sender_sighting.predicted();
    }
    let Some(next_nonce) = nonce.checked_add(1) else { return Ok(false) };
    let simple = |account: &AccountState| !account.has_code() && account.balance < BALANCE_CAP;
    if !simple(&sender) || sender.balance < amounts.cost {
        return Ok(false);
    }
    let (recipient, recipient_sighting) = db.load(parties.recipient)?;
    if !simple(&recipient) {
        return Ok(false);
    }
    let beneficiary = db.resolve(parties.beneficiary)?;

    let bound = (!amounts.cost.is_zero()).then_some(Observation::AtLeast(amounts.cost));
    db.view.observe(sender_sighting, observed(&sender, bound, Some(nonce)));
    db.view.observe(recipient_sighting, observed(&recipient, None, None));

    let touch = Life::Touch { clear_empty };
    let sent = amounts.value + amounts.fee;
    let credit = |amount: U256| AccountEffect {
        balance: (!amount.is_zero()).then_some(Effect::Add(Delta::Plus(amount))),
        life: touch,
        ..AccountEffect::NONE
    };
    let debit = AccountEffect {
        balance: (!sent.is_zero()).then_some(Effect::Add(Delta::Minus(sent))),
        nonce: Some(next_nonce),
        // With a nonce above zero it exists, whatever its balance is.
        ..AccountEffect::NONE
    };
    db.view.effect(sender_sighting.entry, Change::Account(debit));
    db.view.effect(recipient_sighting.entry, Change::Account(credit(amounts.value)));
    db.view.late_effect(beneficiary, Change::Account(credit(amounts.reward)));
    Ok(true)
}

fn observed(seen: &AccountState, balance: Option<Observation<U256>>, nonce: Option<u64>) -> Observed {
    Observed::Account(AccountObservation {
        balance,
        nonce,
        code_hash: seen.code_hash,
        exists: None,
        generation: None,
        seen: seen.balance,
    })
}
