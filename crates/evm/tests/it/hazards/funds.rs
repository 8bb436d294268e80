//! A balance that suffices while a transaction speculates and not at its turn, or the other way round; sums that pass
//! through zero.

use crate::common::asm::{arg, asm, num, word};
use crate::common::contracts::*;
use crate::common::gates::{Event, hold, marking};
use crate::common::{Fork, Scenario, Tx, at};
use alloy_primitives::{Address, U256};
use revm::bytecode::opcode as op;

const FORKS: [Fork; 4] = [Fork::Homestead, Fork::SpuriousDragon, Fork::London, Fork::Prague];

/// Sends the amount in its second word to the account in the first, and logs whether it could.
fn payer() -> Vec<u8> {
    asm()
        .jump_if(num(32).op(op::CALLDATASIZE).op(op::GT), "pay")
        .op(op::STOP)
        .label("pay")
        .log(asm().call(arg(0), arg(1), 0))
        .op(op::STOP)
        .build()
}

fn spend(payer: Address, to: Address, amount: u64) -> Do {
    Do::Call(payer, U256::ZERO, crate::common::asm::words(&[word(to), U256::from(amount)]))
}

/// A contract that pays what it is told to, if it can, and some accounts that are there already.
fn setting(fork: Fork, balance: u64) -> Scenario {
    let mut s = Scenario::new(fork);
    s.contract(at(1), &payer(), balance);
    (900..904).for_each(|n| s.fund(at(n), 1));
    s
}

#[test]
fn a_contract_s_balance_suffices_at_speculation_and_not_at_the_turn() {
    for fork in FORKS {
        let mut s = setting(fork, 10);
        s.act([spend(at(1), at(900), 8)]);
        s.act([spend(at(1), at(901), 8)]);
        let runs = s.check_orders().conflict_about("balance");
        assert_eq!(runs.balances([1, 900, 901].map(at)), [2, 9, 1]);
    }
}

#[test]
fn a_contract_s_balance_suffices_at_the_turn_and_not_at_speculation() {
    for fork in FORKS {
        let mut s = setting(fork, 2);
        s.act([pays(at(1), 8)]);
        s.act([spend(at(1), at(900), 10)]);
        let runs = s.check_orders().conflict_about("balance");
        assert_eq!(runs.balances([1, 900].map(at)), [0, 11]);
    }
}

#[test]
fn a_balance_that_moves_and_suffices_all_the_time_is_no_conflict() {
    for fork in FORKS {
        let mut s = setting(fork, 100);
        s.act([spend(at(1), at(900), 8)]);
        s.act([pays(at(1), 3)]);
        s.act([spend(at(1), at(901), 8)]);
        let runs = s.check_orders().never_conflict();
        let runs = runs.each("moved balance", |metrics| metrics.moved);
        assert_eq!(runs.balance(at(1)), U256::from(87));
    }
}

#[test]
fn an_outflow_that_was_reverted_was_checked_all_the_same() {
    for fork in FORKS {
        let mut s = setting(fork, 0);
        s.contract(at(2), &interpreter(), 10);
        // Pays eight and takes it back; then three are enough for what is left, and not for the attempt.
        let attempt = Do::Call(at(2), U256::ZERO, script([pays(at(900), 8), Do::Revert]));
        let one = Do::Call(at(2), U256::ZERO, script([pays(at(901), 7)]));
        s.act([one]);
        s.act([attempt, Do::Call(at(2), U256::ZERO, script([pays(at(902), 3)]))]);
        let runs = s.check_orders().conflict_about("balance");
        assert_eq!(runs.balances([2, 900, 902].map(at)), [0, 1, 4]);
    }
}

/// Codes of who is paid: none, for which the interpreter is not entered, and one that does nothing.
const PAYEES: [&[u8]; 2] = [&[], &[op::STOP]];

#[test]
fn a_sender_s_funds_suffice_at_speculation_and_not_at_the_turn() {
    for (fork, payee) in FORKS.into_iter().flat_map(|fork| PAYEES.map(|payee| (fork, payee))) {
        let mut s = Scenario::new(fork);
        s.contract(at(900), payee, 0);
        s.contract(at(1), &interpreter(), 0);
        let poor = at(77);
        s.fund(poor, 1_000_005);
        s.tx(Tx::call(poor, at(1)).gas(100_000).value(5).input(script([Do::Mark(10)])));
        s.tx(Tx::pay(poor, at(900), 600_000));
        for holds in
            [hold(Event::Mark(10), [Event::Read(at(900))]), hold(Event::Mark(10), [Event::Read(poor)])]
        {
            let error = s.check_held([holds]).report.error.unwrap();
            assert!(error.contains("LackOfFund") && error.contains("index: 1"), "{error}");
        }
    }
}

#[test]
fn a_sender_s_funds_for_gas_suffice_at_speculation_and_not_at_the_turn() {
    for (fork, payee) in FORKS.into_iter().flat_map(|fork| PAYEES.map(|payee| (fork, payee))) {
        for (balance, valid) in [(1_209_999, false), (1_210_000, true)] {
            let mut s = Scenario::new(fork);
            s.contract(at(900), payee, 0);
            s.contract(at(1), &asm().then(marking(10)).op(op::INVALID).build(), 0);
            let poor = at(77);
            s.fund(poor, balance);
            // Uses all its gas.
            s.tx(Tx::call(poor, at(1)).gas(100_000));
            s.tx(Tx::pay(poor, at(900), 0));
            let runs = s.check_held([hold(Event::Mark(10), [Event::Read(at(900))])]);
            match &runs.report.error {
                Some(error) => assert!(error.contains("LackOfFund") && error.contains("index: 1"), "{error}"),
                None => drop(runs.never_conflict().each("moved balance", |metrics| metrics.moved)),
            }
            assert_eq!(s.check_held([]).report.error.is_none(), valid);
        }
    }
}

#[test]
fn a_sender_s_funds_suffice_at_the_turn_and_not_at_speculation() {
    for (fork, payee) in FORKS.into_iter().flat_map(|fork| PAYEES.map(|payee| (fork, payee))) {
        for balance in [0, 209_999] {
            let mut s = Scenario::new(fork);
            s.contract(at(900), payee, 0);
            let poor = at(77);
            if balance > 0 {
                s.fund(poor, balance);
            }
            s.act([Do::Mark(10), pays(poor, 210_000 - balance)]);
            s.tx(Tx::pay(poor, at(900), 0));
            let runs = s.check_held([hold(Event::Mark(10), [Event::Read(poor)])]).valid();
            let runs = runs.each("blocked execution", |metrics| metrics.blocked);
            assert_eq!(runs.balance(poor), U256::ZERO);
        }
    }
}

#[test]
fn sums_that_pass_through_zero() {
    for fork in FORKS {
        let mut s = setting(fork, 0);
        s.act([pays(at(1), 5)]);
        s.act([spend(at(1), at(900), 5)]);
        s.act([pays(at(1), 5)]);
        s.act([spend(at(1), at(900), 5)]);
        let runs = s.check_orders().conflict_about("balance");
        assert_eq!(runs.balances([1, 900].map(at)), [0, 11]);
    }
}

#[test]
fn sums_that_pass_through_zero_within_transactions() {
    for fork in FORKS {
        let mut s = setting(fork, 0);
        let through = |n| [pays(at(1), 5), spend(at(1), at(n), 5)];
        s.act(through(900));
        s.act(through(901));
        s.act(through(902));
        let runs = s.check_orders().never_conflict();
        assert_eq!(runs.balances([1, 900, 901, 902].map(at)), [0, 6, 6, 6]);
    }
}

#[test]
fn a_payment_that_is_made_only_while_speculating_is_spent_and_read() {
    for fork in FORKS {
        let mut s = setting(fork, 0);
        s.contract(at(2), &counter(), 0);
        s.contract(at(3), &pays_if_unset(at(1)), 50);
        s.contract(at(4), &looker(op::BALANCE), 0);
        s.act([tells(at(3), U256::ONE)]);
        s.act([pays(at(3), 0)]);
        s.act([spend(at(1), at(900), 5)]);
        s.act([tells(at(4), word(at(1)))]);
        let runs = s.check_orders().conflict_about("storage").conflict_about("balance");
        assert_eq!(runs.balances([1, 900].map(at)), [0, 1]);
    }
}

/// Sets slot 0 if there is input; else pays five to `target` if slot 0 is not set.
fn pays_if_unset(target: Address) -> Vec<u8> {
    use crate::common::asm::{addr, get, slot};
    asm()
        .jump_if(get(op::CALLDATASIZE), "set")
        .jump_if(slot(0), "end")
        .call(addr(target), num(5), 0)
        .label("end")
        .op(op::STOP)
        .label("set")
        .sstore(num(0), num(1))
        .op(op::STOP)
        .build()
}
