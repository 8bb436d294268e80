//! Turns what a step did in revm's journal into observations and effects.

use super::context::Ctx;
use super::db::Db;
use super::ledger::Access;
use super::location::{
    AccountEffect, AccountObservation, AccountState, BALANCE_CAP, Change, Life, Observed, Value,
};
use super::ordered::end_transaction;
use super::pools::Pools;
use super::repair::{self, Transfer};
use crate::state::StoreError;
use alloy_primitives::{Address, B256, U256};
use revm::context::Transaction;
use revm::primitives::hardfork::SpecId;
use revm::state::{Account, AccountInfo, EvmState};
use tandem_stm::{Delta, Effect, EntryId, Observation};

/// Reports a finished run of steps to the view. Returns the balance transfer that a repair could shift, if there is just one.
pub(crate) fn report<T: Transaction, C>(
    ctx: &mut Ctx<'_, T, C>,
    pools: &Pools<'_>,
) -> Result<Option<Transfer>, StoreError> {
    // What a block's end does is no transaction.
    end_transaction(ctx);
    let clear_empty = ctx.cfg.spec.is_enabled_in(SpecId::SPURIOUS_DRAGON);
    let state = &ctx.journaled_state.inner.state;
    let db = &mut ctx.journaled_state.database;
    let transfer = if db.is_recording() { observe(db, state) } else { None };
    db.ledger.fold_credits();
    for index in 0..db.ledger.accounts.len() {
        let Access { address, sighting, seen, nonce, touched, now, .. } = db.ledger.accounts[index];
        // Unless the observations imply that it exists and cannot become empty, they leave open whether it does.
        let surely_exists = seen.has_code() || (nonce && seen.nonce > 0);
        let life = if surely_exists { Life::Keep } else { Life::Touch { clear_empty } };
        let Some(account) = state.get(&address) else {
            // Of plain transfers alone.
            let (balance, nonce) = now;
            if touched && let Some(effect) = change(&seen, (balance, nonce, seen.code_hash), life) {
                db.view.effect(sighting.entry, Change::Account(effect));
            }
            continue;
        };
        if !account.is_touched() && !account.is_selfdestructed() && !touched {
            continue;
        }
        let found = Found { address, entry: sighting.entry, seen };
        report_account(db, pools, &found, account, life)?;
    }
    for index in 0..db.ledger.changed.len() {
        let (address, entry) = db.ledger.changed[index];
        let seen = db.view.read_entry(entry).value.account();
        let life = if seen.has_code() { Life::Keep } else { Life::Touch { clear_empty } };
        if let Some(account) = state.get(&address) {
            report_account(db, pools, &Found { address, entry, seen }, account, life)?;
        }
    }
    change_slots(db, state);
    for index in 0..db.ledger.credits.len() {
        let (address, amount) = db.ledger.credits[index];
        let entry = db.resolve(address)?;
        let effect = AccountEffect {
            balance: (!amount.is_zero()).then_some(Effect::Add(Delta::Plus(amount))),
            life: Life::Touch { clear_empty },
            ..AccountEffect::NONE
        };
        db.view.late_effect(entry, Change::Account(effect));
    }
    Ok(transfer)
}

/// An account as a run found it.
struct Found {
    address: Address,
    entry: EntryId,
    seen: AccountState,
}

/// Reports what a run did to an account. `life` is what happens to it if it is neither created nor destroyed.
fn report_account(
    db: &mut Db<'_>,
    pools: &Pools<'_>,
    found: &Found,
    account: &Account,
    life: Life,
) -> Result<(), StoreError> {
    let generation = db.view.position() + 1;
    if let Some(effect) = account_effect(account, &found.seen, life, generation) {
        if effect.code_hash.is_some()
            && let Some(code) = &account.info.code
        {
            pools.add_code(account.info.code_hash, code);
        }
        db.view.effect(found.entry, Change::Account(effect));
    }
    if account.is_created() && !account.is_selfdestructed() {
        fill_created(db, found.address, account, generation)?;
    }
    Ok(())
}

/// Reports what the step relied on.
fn observe(db: &mut Db<'_>, state: &EvmState) -> Option<Transfer> {
    for index in 0..db.ledger.creations.len() {
        let created = db.ledger.creations[index];
        if let Some(access) = db.ledger.access(created) {
            access.nonce = true;
            access.storage = true;
        }
    }
    if db.ledger.exact {
        db.ledger.accounts.iter_mut().for_each(Access::rely_on_all);
    }
    let transfer = repair::transfer(&mut db.ledger, state);
    for access in &db.ledger.accounts {
        let Access { address, seen, .. } = access;
        let destroyed = state.get(address).is_some_and(Account::is_selfdestructed);
        let balance = if access.balance
            || seen.balance >= BALANCE_CAP
            || db.ledger.sweeps.iter().any(|sweep| sweep.source == *address)
        {
            Some(Observation::Exact(seen.balance))
        } else {
            access
                .slack
                .map(|slack| seen.balance.saturating_sub(slack))
                .filter(|bound| !bound.is_zero())
                .map(Observation::AtLeast)
        };
        let observation = AccountObservation {
            balance,
            nonce: access.nonce.then_some(seen.nonce),
            code_hash: seen.code_hash,
            exists: access.exists.then_some(seen.exists),
            generation: (access.storage || destroyed).then_some(seen.generation),
            seen: seen.balance,
        };
        db.view.observe(access.sighting, Observed::Account(observation));
    }
    transfer
}

/// What a run did to a touched account; `None` if nothing. `life` is what happens to it if it is neither created nor destroyed.
fn account_effect(
    account: &Account,
    seen: &AccountState,
    life: Life,
    generation: u64,
) -> Option<AccountEffect> {
    if account.is_selfdestructed() {
        return Some(AccountEffect { life: Life::Destroy { generation }, ..AccountEffect::NONE });
    }
    let AccountInfo { balance, nonce, code_hash, .. } = account.info;
    let life = if account.is_created() { Life::Create { generation } } else { life };
    change(seen, (balance, nonce, code_hash), life)
}

/// The effect that leads from the fields that were seen to these: balance, nonce and code hash. `None` if there is none.
fn change(
    seen: &AccountState,
    (balance, nonce, code_hash): (U256, u64, B256),
    life: Life,
) -> Option<AccountEffect> {
    let effect = AccountEffect {
        balance: (balance != seen.balance).then(|| Effect::Add(Delta::between(seen.balance, balance))),
        nonce: (nonce != seen.nonce).then_some(nonce),
        code_hash: (code_hash != seen.code_hash).then_some(code_hash),
        life,
    };
    (effect != AccountEffect::NONE).then_some(effect)
}

/// Reports the storage of a contract created by the step: a new generation, in which every slot was zero.
fn fill_created(
    db: &mut Db<'_>,
    address: Address,
    account: &Account,
    generation: u64,
) -> Result<(), StoreError> {
    for (slot, value) in &account.storage {
        if !value.present_value.is_zero() {
            let key = db.slot_key(address, generation, *slot);
            let entry = db.view.resolve(&key, || Ok(Value::Slot(U256::ZERO)))?;
            db.view.effect(entry, Change::Slot(value.present_value));
        }
    }
    Ok(())
}

/// Reports changed slots of accounts that were there before and after the step.
fn change_slots(db: &mut Db<'_>, state: &EvmState) {
    let mut last: Option<(Address, Option<&Account>)> = None;
    for changed in &db.ledger.slots {
        let account = match last {
            Some((address, account)) if address == changed.address => account,
            _ => {
                let account = state
                    .get(&changed.address)
                    .filter(|account| !account.is_created() && !account.is_selfdestructed());
                last = Some((changed.address, account));
                account
            }
        };
        let Some(slot) = account.and_then(|account| account.storage.get(&changed.slot)) else { continue };
        if slot.present_value != changed.before {
            db.view.effect(changed.entry, Change::Slot(slot.present_value));
        }
    }
}
