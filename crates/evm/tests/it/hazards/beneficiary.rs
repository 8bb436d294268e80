//! The beneficiary, to whom every transaction adds without reading, as a sender, a recipient, a contract, the heir of a
//! SELFDESTRUCT, the target of a withdrawal, and under BALANCE.

use crate::common::asm::{asm, get, word};
use crate::common::contracts::*;
use crate::common::gates::{Event, hold};
use crate::common::{Fork, Scenario, Tx, at, ether};
use alloy_primitives::{Address, U256};
use revm::bytecode::opcode as op;

const FORKS: [Fork; 4] = [Fork::Homestead, Fork::SpuriousDragon, Fork::London, Fork::Prague];

/// A contract at 1 that tells balances; the beneficiary.
fn setting(fork: Fork) -> (Scenario, Address) {
    let mut s = Scenario::new(fork);
    s.contract(at(1), &looker(op::BALANCE), 0);
    let beneficiary = s.header().beneficiary;
    (s, beneficiary)
}

fn look(beneficiary: Address) -> Do {
    tells(at(1), word(beneficiary))
}

#[test]
fn the_beneficiary_is_a_sender_that_pays_with_the_fees_of_the_block() {
    for fork in FORKS {
        for (balance, blocked) in [(209_999, true), (210_000, false)] {
            let (mut s, beneficiary) = setting(fork);
            s.fund(beneficiary, balance);
            s.act([]);
            s.tx(Tx::pay(beneficiary, at(900), 0));
            let runs = s.check_held([hold(s.end_of(0), [Event::Read(beneficiary)])]).valid();
            if blocked {
                runs.each("blocked execution", |metrics| metrics.blocked);
            } else {
                runs.never_conflict();
            }
        }
    }
}

#[test]
fn the_beneficiary_is_a_sender_between_others() {
    for fork in FORKS {
        let (mut s, beneficiary) = setting(fork);
        s.fund(beneficiary, ether(1));
        s.act([]);
        s.tx(Tx::pay(beneficiary, at(900), 5));
        s.act([pays(beneficiary, 7)]);
        s.tx(Tx::pay(beneficiary, at(901), 5));
        s.check_orders().valid();
        let held = hold(s.end_of(0), [Event::Read(at(901)), s.end_of(1)]);
        s.check_held([held]).each("moved balance", |metrics| metrics.moved);
    }
}

#[test]
fn the_beneficiary_is_a_recipient() {
    for fork in FORKS {
        let (mut s, beneficiary) = setting(fork);
        s.fund(beneficiary, 1);
        (0..3).for_each(|n| s.act([pays(beneficiary, 5 + n)]));
        s.check_orders().never_conflict();
    }
}

#[test]
fn the_beneficiary_is_a_recipient_that_is_not_there_at_first() {
    for fork in FORKS {
        let (mut s, beneficiary) = setting(fork);
        (0..3).for_each(|n| s.act([pays(beneficiary, n)]));
        // A call that comes first pays for the new account, and the fee of any transaction makes it.
        s.check_orders().conflict();
    }
}

#[test]
fn the_beneficiary_is_a_contract_that_spends_the_fees() {
    for fork in FORKS {
        let (mut s, beneficiary) = setting(fork);
        s.contract(beneficiary, &interpreter(), 10);
        let spend = |to: u64| Do::Call(beneficiary, U256::ZERO, script([pays(at(to), 1_000)]));
        s.act([spend(900)]);
        s.act([spend(901)]);
        s.act([spend(902)]);
        let runs = s.check_orders().conflict_about("balance");
        // There were no fees when the first one tried.
        assert_eq!(runs.balances([900, 901, 902].map(at)), [0, 1_000, 1_000]);
    }
}

#[test]
fn the_beneficiary_is_a_contract_that_reads_its_own_balance() {
    for fork in FORKS {
        let (mut s, beneficiary) = setting(fork);
        let own = || get(op::ADDRESS).op(op::BALANCE);
        s.contract(beneficiary, &asm().add_to(0, own()).log(own()).op(op::STOP).build(), 3);
        (0..3).for_each(|n| s.act([pays(beneficiary, n)]));
        s.check_orders().conflict_about("balance");
    }
}

#[test]
fn the_beneficiary_is_a_contract_that_destroys_itself() {
    for fork in FORKS {
        let (mut s, beneficiary) = setting(fork);
        s.contract(beneficiary, &mortal(), 3);
        s.act([pays(beneficiary, 4)]);
        s.act([tells(beneficiary, word(at(900)))]);
        s.act([look(beneficiary)]);
        s.check_orders().conflict_about("balance");
    }
}

#[test]
fn the_beneficiary_is_the_heir_of_a_selfdestruct() {
    for fork in FORKS {
        let (mut s, beneficiary) = setting(fork);
        for n in 0..2 {
            s.contract(at(2 + n), &mortal(), 20 * n);
            s.act([tells(at(2 + n), word(beneficiary))]);
        }
        s.act([look(beneficiary)]);
        s.check_orders().conflict_about("balance");
    }
}

#[test]
fn the_beneficiary_is_the_target_of_a_withdrawal_that_the_next_block_spends() {
    for fork in [Fork::Shanghai, Fork::Prague] {
        let (mut s, beneficiary) = setting(fork);
        s.act([look(beneficiary)]);
        s.withdraw(beneficiary, 5);
        s.next_block();
        s.act([look(beneficiary)]);
        let target = at(0xc0de);
        s.tx(Tx::pay(beneficiary, target, 5_000_000_000_u64 - 210_000));
        let runs = s.check_orders().conflict_about("balance");
        assert_eq!(runs.balance(target), U256::from(5_000_000_000_u64 - 210_000));
        // The payment executes while the block that it is paid from has not ended.
        s.check_held([hold(s.end_of(0), [s.end_of(1)])]).valid();
    }
}

#[test]
fn the_beneficiary_has_the_reward_of_the_block_before() {
    for fork in [Fork::Homestead, Fork::Petersburg, Fork::London] {
        let (mut s, beneficiary) = setting(fork);
        s.act([look(beneficiary)]);
        s.ommer(1, beneficiary);
        s.next_block();
        s.act([look(beneficiary)]);
        s.check_orders().conflict_about("balance");
    }
}

#[test]
fn the_balance_of_the_beneficiary_is_read() {
    for fork in FORKS {
        let (mut s, beneficiary) = setting(fork);
        s.fund(beneficiary, 9);
        s.act([]);
        s.act([look(beneficiary)]);
        s.act([]);
        s.act([look(beneficiary)]);
        s.check_orders().conflict_about("balance");
    }
}
