//! Creations that raise their creator's nonce while another transaction of the block reads it: to create, too, to find
//! out whether the creator is empty, or to be sent.

use crate::common::asm::{asm, deploys, num, word, words};
use crate::common::contracts::*;
use crate::common::gates::{Event, hold, marking};
use crate::common::{Fork, Scenario, Tx, at};
use alloy_primitives::U256;
use revm::bytecode::opcode as op;

const FORKS: [Fork; 4] = [Fork::Homestead, Fork::SpuriousDragon, Fork::London, Fork::Prague];

#[test]
fn contracts_are_created_by_one_creator_in_several_transactions() {
    for fork in FORKS {
        let mut s = Scenario::new(fork);
        s.contract(at(1), &factory(&mortal()), 0);
        (0..3).for_each(|n| s.act([pays(at(1), 3 + n)]));
        let runs = s.check_orders().conflict_about("nonce");
        assert_eq!(runs.account(at(1)).unwrap().nonce, 4);
        assert_eq!(runs.balances([1, 2, 3].map(|n| at(1).create(n))), [3, 4, 5]);
    }
}

#[test]
fn what_was_created_is_used_by_the_next_transaction() {
    for fork in FORKS {
        let mut s = Scenario::new(fork);
        s.contract(at(1), &factory(&counter()), 0);
        let child = at(1).create(1);
        s.act([pays(child, 1), pays(at(1), 0)]);
        s.act([pays(child, 0), pays(at(1), 0)]);
        s.act([pays(at(1).create(2), 0), pays(child, 0)]);
        let runs = s.check_orders().conflict_about("nonce").conflict_about("code");
        assert_eq!(runs.report.storage(child, 0), 2);
    }
}

#[test]
fn a_creation_that_fails_for_want_of_funds_leaves_the_nonce_alone() {
    for fork in FORKS {
        let mut s = Scenario::new(fork);
        let create = asm().create(&deploys(&counter()), num(10)).then(num(0)).op(op::SSTORE).op(op::STOP);
        s.contract(at(1), &create.build(), 12);
        s.act([pays(at(1), 0)]);
        // There are two wei left, and five more are too few.
        s.act([pays(at(1), 5)]);
        s.act([pays(at(1), 3)]);
        let runs = s.check_orders().conflict_about("nonce");
        assert_eq!((runs.account(at(1)).unwrap().nonce, runs.balance(at(1))), (3, U256::ZERO));
    }
}

#[test]
fn a_creation_where_somebody_is_raises_the_nonce_all_the_same() {
    for fork in [Fork::SpuriousDragon, Fork::London, Fork::Prague] {
        let mut s = Scenario::new(fork);
        s.contract(at(1), &factory(&mortal()), 0);
        s.contract(at(1).create(1), &counter(), 0);
        (0..2).for_each(|_| s.act([pays(at(1), 0)]));
        s.act([pays(at(1).create(2), 1)]);
        let runs = s.check_orders().conflict_about("nonce");
        assert_eq!(runs.account(at(1)).unwrap().nonce, 3);
    }
}

#[test]
fn a_contract_without_code_is_created_once() {
    for fork in [Fork::Petersburg, Fork::London, Fork::Prague] {
        let mut s = Scenario::new(fork);
        // Only its nonce shows that it is there.
        s.contract(at(1), &factory2(&[]), 0);
        (0..2).for_each(|_| s.act([Do::Call(at(1), U256::from(5), words(&[U256::ONE]))]));
        let runs = s.check_orders().conflict_about("nonce");
        assert_eq!(runs.balances([at(1), address2(at(1), 1, &[])]), [5, 5]);
    }
}

#[test]
fn whether_the_creator_is_empty_depends_on_the_nonce_that_a_creation_raised() {
    for fork in [Fork::London, Fork::Prague] {
        let mut s = Scenario::new(fork);
        s.contract(at(1), &looker(op::EXTCODEHASH), 0);
        // Sends all that it has; its nonce alone tells that it is somebody.
        let user = at(77);
        s.fund(user, 300_000 * 10);
        let init = asm().then(marking(10)).op(op::STOP).build();
        s.tx(Tx::create(user, init).gas(300_000));
        s.act([tells(at(1), word(user))]);
        let before = hold(Event::Mark(10), [s.end_of(0)]);
        s.check_held([before]).valid();
        s.check_orders().valid();
    }
}

#[test]
fn a_sender_that_creates_has_the_nonce_that_its_next_transactions_say() {
    for fork in FORKS {
        for (next, valid) in [(1, true), (0, false), (2, false)] {
            let mut s = Scenario::new(fork);
            let user = s.user(0);
            s.tx(Tx::create(user, asm().then(marking(10)).op(op::STOP).build()).gas(200_000));
            s.tx(Tx::pay(user, at(900), 1).nonce(next));
            for holds in
                [hold(Event::Mark(10), [Event::Read(at(900))]), hold(Event::Read(at(900)), [Event::Final(0)])]
            {
                assert_eq!(s.check_held([holds]).report.error.is_none(), valid);
            }
        }
    }
}
