//! Balances near 2^192, from where on they are observed exactly, and near 2^256.

use crate::common::{Fork, Scenario, Tx, at, ether};
use alloy_primitives::U256;

const LATE: [Fork; 3] = [Fork::Istanbul, Fork::London, Fork::Prague];

#[test]
fn balances_near_the_cap_of_predicted_sums() {
    let cap = U256::from(1) << 192;
    for fork in LATE {
        let mut s = Scenario::new(fork);
        s.fund(at(1), cap - U256::from(30));
        s.fund(at(2), cap + ether(1));
        for n in 0..6 {
            let user = s.user(n);
            s.tx(Tx::pay(user, at(1), 10));
            s.tx(Tx::pay(at(2), at(1), 3));
            s.tx(Tx::pay(at(2), at(901), cap >> 3));
        }
        s.check().valid();
    }
}

#[test]
fn payments_that_overflow_a_balance_fail() {
    for fork in LATE {
        let mut s = Scenario::new(fork);
        s.fund(at(1), U256::MAX - U256::from(35));
        for n in 0..8 {
            let user = s.user(n);
            s.tx(Tx::pay(user, at(1), 10).gas(60_000));
        }
        s.check_often().valid();
    }
}

#[test]
fn a_payment_that_makes_later_ones_overflow() {
    for fork in LATE {
        let mut s = Scenario::new(fork);
        let rich = at(1);
        s.fund(rich, U256::MAX);
        s.slow.push(rich);
        s.spin();
        s.tx(Tx::pay(rich, at(900), U256::MAX - ether(1)));
        for n in 0..4 {
            let user = s.user(n);
            s.fund(user, ether(2));
            s.tx(Tx::pay(user, at(900), ether(1) - U256::from(n)).gas(60_000));
        }
        s.check_often().valid();
    }
}

#[test]
fn fees_and_withdrawals_that_overflow_are_dropped() {
    for fork in [Fork::London, Fork::Shanghai] {
        let mut s = Scenario::new(fork);
        let beneficiary = s.header().beneficiary;
        s.fund(beneficiary, U256::MAX - U256::from(100_000));
        s.unlike_alloy("the block's reward or a withdrawal overflows");
        for n in 0..3 {
            let user = s.user(n);
            s.tx(Tx::pay(user, at(900), 10));
        }
        if fork == Fork::Shanghai {
            s.fund(at(901), U256::MAX - U256::from(1_500_000_000));
            s.withdraw(at(901), 2);
            s.withdraw(at(902), 0);
        }
        s.check().all_succeed();
    }
}
