//! SELFDESTRUCT, then CREATE2 at the same address, within one transaction and across several, before and after Cancun;
//! destruction in favour of the account itself and of the beneficiary; storage of an account that was wiped, read later
//! in the block.

use crate::common::asm::{addr, arg, asm, get, slot, word};
use crate::common::contracts::*;
use crate::common::{Fork, Scenario, at};
use alloy_primitives::{Address, U256};
use revm::bytecode::opcode as op;

/// Up to Shanghai, SELFDESTRUCT ends an account; from Cancun on (EIP-6780) only in the transaction that created it.
const BEFORE_CANCUN: [Fork; 2] = [Fork::Petersburg, Fork::Shanghai];
const SINCE_CANCUN: [Fork; 2] = [Fork::Cancun, Fork::Prague];
const FORKS: [Fork; 4] = [Fork::Petersburg, Fork::Shanghai, Fork::Cancun, Fork::Prague];

const SALT: u64 = 7;

/// Adds its input to slot 0 and logs what was there, or destroys itself without any.
fn adder() -> Vec<u8> {
    asm()
        .jump_if(get(op::CALLDATASIZE), "add")
        .selfdestruct(addr(at(900)))
        .label("add")
        .log(slot(0))
        .add_to(0, arg(0))
        .op(op::STOP)
        .build()
}

/// A factory at 1, and where its child is to be.
fn setting(fork: Fork, child: &[u8]) -> (Scenario, Address) {
    let mut s = Scenario::new(fork);
    s.contract(at(1), &factory2(child), 0);
    s.contract(at(2), &looker(op::EXTCODEHASH), 0);
    s.contract(at(3), &looker(op::BALANCE), 0);
    s.fund(at(900), 1);
    (s, address2(at(1), SALT, child))
}

fn create() -> Do {
    tells(at(1), U256::from(SALT))
}

fn kill(child: Address, heir: Address) -> Do {
    tells(child, word(heir))
}

#[test]
fn a_contract_destroyed_and_created_again_within_one_transaction() {
    for fork in FORKS {
        let (mut s, child) = setting(fork, &mortal());
        let all = || [create(), kill(child, at(900)), pays(child, 3), create()];
        s.act(all());
        s.act(all());
        s.act([pays(child, 1), tells(at(2), word(child))]);
        let runs = s.check_orders().conflict_about("life");
        // What it was paid after its end went with it.
        assert_eq!(runs.balance(child), U256::ONE);
    }
}

#[test]
fn a_contract_destroyed_and_created_again_across_transactions_before_cancun() {
    for fork in BEFORE_CANCUN {
        let (mut s, child) = setting(fork, &mortal());
        s.contract(child, &mortal(), 40);
        s.act([kill(child, at(900))]);
        s.act([create()]);
        s.act([pays(child, 5)]);
        s.act([kill(child, at(900)), tells(at(2), word(child))]);
        let runs = s.check_orders().conflict_about("life");
        assert_eq!((runs.account(child), runs.balance(at(900))), (None, U256::from(46)));
    }
}

#[test]
fn a_contract_destroyed_and_created_again_across_transactions_since_cancun() {
    for fork in SINCE_CANCUN {
        let (mut s, child) = setting(fork, &mortal());
        s.contract(child, &mortal(), 40);
        s.set_storage(child, 3, 4);
        s.act([kill(child, at(900))]);
        // The account is still there, so this fails.
        s.act([create()]);
        s.act([pays(child, 5)]);
        s.act([kill(child, at(900)), tells(at(2), word(child))]);
        let runs = s.check_orders().conflict_about("balance");
        assert_eq!((runs.balance(child), runs.balance(at(900))), (U256::ZERO, U256::from(46)));
        assert_eq!(runs.report.storage(child, 3), 4);
    }
}

#[test]
fn a_contract_created_by_one_transaction_is_destroyed_by_the_next() {
    for fork in FORKS {
        let (mut s, child) = setting(fork, &mortal());
        s.act([create(), pays(child, 5)]);
        s.act([kill(child, at(900))]);
        s.act([create(), tells(at(2), word(child))]);
        let runs = s.check_orders().conflict_about("code");
        assert_eq!(runs.account(child).unwrap().nonce, 1);
    }
}

#[test]
fn destruction_in_favour_of_itself() {
    for fork in FORKS {
        let (mut s, _) = setting(fork, &mortal());
        s.contract(at(4), &mortal(), 40);
        s.act([pays(at(4), 5)]);
        s.act([kill(at(4), at(4))]);
        s.act([tells(at(3), word(at(4)))]);
        let runs = s.check_orders().conflict_about("balance");
        let lost = BEFORE_CANCUN.contains(&fork);
        assert_eq!(runs.balance(at(4)), U256::from(if lost { 0 } else { 45 }));
    }
}

#[test]
fn destruction_in_favour_of_the_beneficiary() {
    for fork in FORKS {
        for funded in [true, false] {
            let (mut s, _) = setting(fork, &mortal());
            let beneficiary = s.header().beneficiary;
            if funded {
                s.fund(beneficiary, 7);
            }
            s.contract(at(4), &mortal(), 40);
            s.act([pays(at(4), 5)]);
            s.act([kill(at(4), beneficiary)]);
            s.act([tells(at(3), word(beneficiary))]);
            let runs = s.check_orders().conflict_about("balance");
            assert_eq!(runs.balance(at(4)), U256::ZERO);
        }
    }
}

#[test]
fn a_balance_that_moved_follows_the_destruction_that_passed_it_on() {
    for fork in FORKS {
        let (mut s, _) = setting(fork, &mortal());
        s.contract(at(4), &mortal(), 40);
        s.act([pays(at(4), 5)]);
        s.act([kill(at(4), at(900))]);
        let runs = s.check_orders().conflict().each("repair", |metrics| metrics.repairs);
        assert_eq!(runs.balance(at(900)), U256::from(46));
    }
}

#[test]
fn storage_of_a_wiped_account_reads_as_zero_later_in_the_block() {
    for fork in BEFORE_CANCUN {
        let (mut s, child) = setting(fork, &adder());
        s.contract(child, &adder(), 0);
        s.set_storage(child, 0, 1_000);
        s.set_storage(child, 1, 1_000);
        s.act([tells(child, U256::ONE)]);
        s.act([pays(child, 0)]);
        s.act([create()]);
        s.act([tells(child, U256::from(2))]);
        let runs = s.check_orders().conflict_about("life").conflict_about("storage");
        assert_eq!((runs.report.storage(child, 0), runs.report.storage(child, 1)), (2, 0));
    }
}

#[test]
fn storage_of_an_account_that_was_destroyed_and_not_made_again_is_gone() {
    for fork in BEFORE_CANCUN {
        let (mut s, child) = setting(fork, &adder());
        s.contract(child, &adder(), 0);
        s.set_storage(child, 0, 1_000);
        s.act([tells(child, U256::ONE), pays(child, 0)]);
        // A call to nobody.
        s.act([tells(child, U256::from(2))]);
        s.act([tells(child, U256::from(4))]);
        let runs = s.check_orders().conflict();
        assert_eq!((runs.account(child), runs.report.storage(child, 0)), (None, 0));
    }
}

#[test]
fn slots_of_an_account_created_by_one_transaction_are_read_by_the_next() {
    for fork in FORKS {
        let (mut s, child) = setting(fork, &adder());
        s.act([create(), tells(child, U256::from(3))]);
        s.act([tells(child, U256::from(4))]);
        s.act([tells(child, U256::from(5))]);
        let runs = s.check_orders().conflict_about("storage").conflict_about("code");
        assert_eq!(runs.report.storage(child, 0), 12);
    }
}
