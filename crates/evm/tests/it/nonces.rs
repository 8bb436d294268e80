//! Nonces and funds of senders.

use crate::common::asm::{asm, deploys, num};
use crate::common::contracts::*;
use crate::common::{Fork, Scenario, Tx, at, ether};
use alloy_primitives::U256;
use revm::bytecode::opcode as op;

const FORKS: [Fork; 4] = [Fork::Homestead, Fork::SpuriousDragon, Fork::London, Fork::Prague];

/// Two good blocks, then one whose fourth transaction is `bad`, then a good one.
fn with_bad_transaction(fork: Fork, bad: impl Fn(&mut Scenario) -> Tx) -> crate::common::Report {
    let mut s = Scenario::new(fork);
    for block in 0..4 {
        for n in 0..3 {
            let user = s.user(n);
            s.tx(Tx::pay(user, at(900 + n), 1));
        }
        if block == 2 {
            let tx = bad(&mut s);
            s.tx(tx);
        }
        for n in 3..9 {
            let user = s.user(n);
            s.tx(Tx::pay(user, at(900 + n), 1));
        }
        s.next_block();
    }
    let report = s.check();
    assert_eq!(report.blocks.len(), 2);
    report
}

fn assert_names_transaction_3(report: &crate::common::Report, what: &str) {
    let error = report.error.as_deref().unwrap();
    assert!(error.starts_with("Transaction") && error.contains("index: 3"), "{error}");
    assert!(error.contains(what), "{error}");
}

#[test]
fn a_nonce_too_high_or_too_low_in_the_middle_of_a_block_names_the_transaction() {
    for fork in FORKS {
        let report = with_bad_transaction(fork, |s| Tx::pay(s.user(1), at(900), 1).nonce(5));
        assert_names_transaction_3(&report, "NonceTooHigh");
        let report = with_bad_transaction(fork, |s| Tx::pay(s.user(1), at(900), 1).nonce(1));
        assert_names_transaction_3(&report, "NonceTooLow");
    }
}

#[test]
fn a_wrong_nonce_of_a_sender_that_nothing_else_changes_is_found() {
    for fork in FORKS {
        for (nonce, what) in [(5, "NonceTooHigh"), (0, "NonceTooLow")] {
            let report = with_bad_transaction(fork, |s| {
                let account = tandem_state::Account { balance: ether(1), nonce: 3, ..Default::default() };
                s.store.set_account(at(1), account);
                Tx::pay(at(1), at(900), 1).nonce(nonce)
            });
            assert_names_transaction_3(&report, what);
        }
    }
}

#[test]
fn insufficient_funds_in_the_middle_of_a_block_name_the_transaction() {
    for fork in FORKS {
        let report = with_bad_transaction(fork, |s| Tx::pay(s.user(1), at(900), ether(1)));
        assert_names_transaction_3(&report, "LackOfFund");
    }
}

#[test]
fn a_sender_with_code_is_refused_from_london_on() {
    for fork in [Fork::London, Fork::Prague] {
        let report = with_bad_transaction(fork, |s| {
            s.contract(at(1), &counter(), ether(1));
            Tx::pay(at(1), at(900), 1)
        });
        assert_names_transaction_3(&report, "RejectCallerWithCode");
    }
}

#[test]
fn a_transaction_that_cannot_pay_its_intrinsic_gas_names_itself() {
    for fork in FORKS {
        let report = with_bad_transaction(fork, |s| Tx::pay(s.user(1), at(900), 1).gas(20_999));
        assert_names_transaction_3(&report, "CallGasCostMoreThanGasLimit");
    }
}

#[test]
fn funds_that_an_earlier_transaction_took() {
    for fork in FORKS {
        let mut s = Scenario::new(fork);
        let poor = at(1);
        s.fund(poor, 2 * 210_000 + 10);
        s.spin();
        s.tx(Tx::pay(poor, at(900), 5));
        s.tx(Tx::pay(poor, at(900), 6));
        s.spin();
        assert!(s.check().error.unwrap().contains("LackOfFund"));
    }
}

#[test]
fn funds_that_an_earlier_transaction_gave() {
    for fork in FORKS {
        let mut s = Scenario::new(fork);
        let poor = at(1);
        s.fund(poor, 210_000 - 1);
        let payer = s.user(0);
        s.slow.push(payer);
        s.spin();
        s.tx(Tx::pay(payer, poor, 1));
        s.tx(Tx::pay(poor, at(900), 0));
        let report = s.check().all_succeed();
        assert_eq!(report.account(poor).unwrap().balance, U256::ZERO);
    }
}

#[test]
fn a_creator_s_nonce_is_raised_by_many_transactions() {
    for fork in FORKS {
        let mut s = Scenario::new(fork);
        s.contract(at(1), &factory(&mortal()), 0);
        for n in 0..10 {
            let user = s.user(n);
            s.tx(Tx::call(user, at(1)).value(n));
        }
        s.spin();
        let report = s.check().all_succeed();
        assert_eq!(report.account(at(1)).unwrap().nonce, 11);
        assert_eq!(report.account(at(1).create(10)).unwrap().balance, U256::from(9));
    }
}

#[test]
fn a_creation_that_fails_raises_the_nonce_all_the_same() {
    for fork in FORKS {
        let mut s = Scenario::new(fork);
        s.contract(at(1), &factory(&mortal()), 0);
        // Somebody is where the third child should be; the fourth has a balance only.
        s.contract(at(1).create(3), &counter(), 5);
        s.fund(at(1).create(4), 5);
        for n in 0..5 {
            let user = s.user(n);
            s.tx(Tx::call(user, at(1)).value(n).gas(5_000_000));
        }
        let report = s.check().valid();
        // Before EIP-150 the failure takes all the gas, and the next attempt is like it.
        let goes_on = fork != Fork::Homestead;
        assert_eq!(report.successes(0), [true, true, goes_on, goes_on, goes_on]);
    }
}

#[test]
fn a_creation_at_an_address_that_receives_ether_meanwhile() {
    for fork in FORKS {
        let mut s = Scenario::new(fork);
        for n in 0..5 {
            let (user, payer) = (s.user(n), s.user(50 + n));
            s.slow.push(payer);
            let target = user.create(0);
            s.tx(Tx::pay(payer, target, 7));
            s.tx(Tx::create(user, deploys(&mortal())).value(1));
            s.tx(Tx::pay(payer, target, 7).gas(60_000));
        }
        let report = s.check().all_succeed();
        assert_eq!(report.account(at(0x1000).create(0)).unwrap().balance, U256::from(15));
    }
}

#[test]
fn a_factory_deploys_a_factory_that_deploys() {
    for fork in FORKS {
        let mut s = Scenario::new(fork);
        let inner = factory(&counter());
        s.contract(at(1), &factory(&inner), 0);
        for n in 0..4 {
            let user = s.user(n);
            s.tx(Tx::call(user, at(1)).gas(1_000_000));
            let child = at(1).create(n + 1);
            s.tx(Tx::call(user, child));
            s.tx(Tx::call(user, child));
            s.tx(Tx::call(user, child.create(if fork >= Fork::SpuriousDragon { 1 } else { 0 })));
        }
        s.check().all_succeed();
    }
}

#[test]
fn a_creation_reverted_by_its_caller_takes_the_nonce_back() {
    for fork in FORKS {
        let mut s = Scenario::new(fork);
        s.contract(at(1), &factory(&mortal()), 0);
        s.contract(at(2), &interpreter(), 0);
        s.contract(at(3), &interpreter(), 0);
        let inner = script([tells(at(1), U256::ONE), Do::Revert]);
        for n in 0..6 {
            let user = s.user(n);
            let attempt = Do::Call(at(3), U256::ZERO, inner.clone());
            s.tx(Tx::call(user, at(2)).input(script([attempt])));
            s.tx(Tx::call(user, at(1)));
        }
        s.check().all_succeed();
    }
}

#[test]
fn a_sender_made_by_a_contract_earlier_in_the_block() {
    for fork in FORKS {
        let mut s = Scenario::new(fork);
        s.contract(at(1), &forwarder(), ether(1));
        for n in 0..4 {
            let (user, new) = (s.user(n), at(900 + n));
            s.tx(Tx::call(user, at(1)).words(&[crate::common::asm::word(new), U256::from(500_000 * 10)]));
            s.tx(Tx::pay(new, at(950), 3));
            s.tx(Tx::create(new, asm().sstore(num(1), num(1)).op(op::STOP).build()).gas(200_000));
        }
        s.check().all_succeed();
    }
}
