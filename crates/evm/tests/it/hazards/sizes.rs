//! Blocks of no transactions and of one, of a thousand from one sender, and of one that uses all the gas.

use crate::common::asm::asm;
use crate::common::contracts::*;
use crate::common::gates::{Event, hold, marking};
use crate::common::{Fork, Scenario, Tx, at};

#[test]
fn blocks_of_no_transactions() {
    for fork in Fork::ALL {
        let s = Scenario::new(fork).block().block();
        assert_eq!(s.check().valid().blocks.len(), 3);
    }
}

#[test]
fn blocks_of_one_transaction() {
    for fork in Fork::ALL {
        let mut s = Scenario::new(fork);
        for n in 0..4 {
            let user = s.user(n % 2);
            s.tx(Tx::pay(user, at(900), 1));
            s.next_block();
        }
        s.check().all_succeed();
    }
}

#[test]
fn blocks_of_one_transaction_that_execute_in_every_order() {
    for fork in [Fork::Homestead, Fork::London, Fork::Prague] {
        let mut s = Scenario::new(fork);
        s.contract(at(1), &counter(), 0);
        for _ in 0..3 {
            s.act([pays(at(1), 1)]);
            // One with none in between.
            s.next_block();
            s.next_block();
        }
        let runs = s.check_orders().conflict_about("storage");
        assert_eq!(runs.report.storage(at(1), 0), 3);
    }
}

#[test]
fn a_thousand_transactions_of_one_sender() {
    for fork in [Fork::London, Fork::Prague] {
        let mut s = Scenario::new(fork);
        let user = s.user(0);
        s.contract(at(1), &counter(), 0);
        for n in 0..1_000 {
            s.tx(if n % 3 == 0 { Tx::call(user, at(1)).gas(60_000) } else { Tx::pay(user, at(900), 1) });
        }
        s.header().gas_limit = 60_000_000;
        let report = s.check().all_succeed();
        assert_eq!(report.storage(at(1), 0), 334);
    }
}

#[test]
fn a_thousand_transactions_of_one_sender_of_which_the_last_executes_while_the_first_does() {
    let mut s = Scenario::new(Fork::Prague);
    s.contract(at(1), &interpreter(), 0);
    let user = s.user(0);
    s.fund(user, crate::common::ether(1_000));
    s.header().gas_limit = 60_000_000;
    s.tx(Tx::call(user, at(1)).input(script([Do::Mark(10)])));
    for n in 1..999 {
        s.tx(Tx::pay(user, at(2_000 + n), 1));
    }
    s.tx(Tx::pay(user, at(900), 1));
    let runs = s.check_held([hold(Event::Mark(10), [Event::Read(at(900))])]).never_conflict();
    assert_eq!(runs.account(user).unwrap().nonce, 1_000);
}

#[test]
fn one_transaction_uses_all_the_gas() {
    for fork in [Fork::London, Fork::Cancun] {
        let mut s = Scenario::new(fork);
        s.contract(at(1), &asm().then(marking(10)).label("again").jump("again").build(), 0);
        let user = s.user(0);
        s.tx(Tx::call(user, at(1)).gas(30_000_000));
        s.next_block();
        s.tx(Tx::pay(user, at(900), 1));
        let report = s.check().valid();
        assert_eq!(report.blocks[0].gas_used, 30_000_000);
        // The next block's transaction executes first.
        s.check_held([hold(Event::Mark(10), [Event::Read(at(900))])]).never_conflict();
    }
}
