//! Repair of results whose only fault is that a balance moved which they passed on as a whole.

use super::ledger::{Ledger, Sweep};
use super::location::{AccountEffect, AccountObservation, BALANCE_CAP, Change, Observed, Value};
use alloy_primitives::U256;
use revm::state::EvmState;
use tandem_stm::{Check, Delta, Effect, EntryId, Observation};

/// A SELFDESTRUCT that moved a whole balance which nothing else in the step depends on. If the balance turns out
/// different, the difference goes the same way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Transfer {
    source: EntryId,
    target: EntryId,
    /// The source's balance as seen, in wei.
    seen: U256,
    /// The least that the source's balance may be for the step to take the same path.
    bound: U256,
    /// Whether the source is gone, with whatever it holds.
    destroyed: bool,
}

/// The step's balance transfer that a repair could shift, if its shape allows that.
pub(crate) fn transfer(ledger: &mut Ledger, state: &EvmState) -> Option<Transfer> {
    let [Sweep { source, target, amount, target_checks }] = ledger.sweeps[..] else { return None };
    // Charges depend on whether anything was moved.
    let left = amount.checked_sub(U256::ONE)?;
    let account = state.get(&source).filter(|_| source != target)?;
    let (seen, bound, entry) = {
        let access = ledger.access(source).filter(|access| !access.balance)?;
        // The sweep may have been reverted. It was not if it left its mark, or took what nothing else could take.
        let took_effect = account.is_selfdestructed()
            || (access.slack.is_none() && account.info.balance.is_zero() && !access.seen.balance.is_zero());
        if !took_effect {
            return None;
        }
        let slack = access.slack.map_or(left, |slack| slack.min(left));
        (access.seen.balance, access.seen.balance.saturating_sub(slack), access.sighting.entry)
    };
    // Nothing may have been relied on of the target's balance once it held what was moved.
    let target = ledger.access(target).filter(|access| !access.balance && access.checks == target_checks)?;
    Some(Transfer {
        source: entry,
        target: target.sighting.entry,
        seen,
        bound,
        destroyed: account.is_selfdestructed(),
    })
}

impl Transfer {
    /// Shifts the step's effects if everything in `violated` comes from the source's balance.
    pub(crate) fn shift(
        &self,
        violated: &[(EntryId, Observed, Value)],
        effects: &mut Vec<(EntryId, Change)>,
    ) -> bool {
        let [(entry, Observed::Account(observation), Value::Account(account))] = violated else {
            return false;
        };
        let bounded = AccountObservation { balance: Some(Observation::AtLeast(self.bound)), ..*observation };
        let holds = Observed::Account(bounded).check(&Value::Account(*account)) == Check::Moved;
        if *entry != self.source || !holds || self.seen >= BALANCE_CAP {
            return false;
        }
        let difference = Delta::between(self.seen, account.balance);
        shift_by(effects, self.target, difference);
        if !self.destroyed {
            shift_by(effects, self.source, negated(difference));
        }
        true
    }
}

fn negated(delta: Delta<U256>) -> Delta<U256> {
    match delta {
        Delta::Plus(amount) => Delta::Minus(amount),
        Delta::Minus(amount) => Delta::Plus(amount),
    }
}

/// Adds to what the step does to a balance.
fn shift_by(effects: &mut Vec<(EntryId, Change)>, entry: EntryId, by: Delta<U256>) {
    let found = effects.iter_mut().find_map(|(other, change)| match change {
        Change::Account(effect) if *other == entry => Some(effect),
        _ => None,
    });
    match found {
        Some(effect) => {
            effect.balance = Some(Effect::Add(match effect.balance {
                Some(Effect::Add(delta)) => sum(delta, by),
                _ => by,
            }));
        }
        None => {
            let effect = AccountEffect { balance: Some(Effect::Add(by)), ..AccountEffect::NONE };
            effects.push((entry, Change::Account(effect)));
        }
    }
}

fn sum(a: Delta<U256>, b: Delta<U256>) -> Delta<U256> {
    match (a, b) {
        (Delta::Plus(a), Delta::Plus(b)) => Delta::Plus(a + b),
        (Delta::Minus(a), Delta::Minus(b)) => Delta::Minus(a + b),
        (Delta::Plus(plus), Delta::Minus(minus)) | (Delta::Minus(minus), Delta::Plus(plus)) => {
            Delta::between(minus, plus)
        }
    }
}
