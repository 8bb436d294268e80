//! Accounts that come and go.

mod common;

use common::Fork;
use common::asm::word;
use common::contracts::*;
use common::{Scenario, Tx, at};

#[test]
fn a_contract_that_is_destroyed_can_be_created_again() {
    for fork in [Fork::Petersburg, Fork::Shanghai] {
        let mut s = Scenario::new(fork);
        let factory = at(1);
        s.contract(factory, &factory2(&mortal()), 0);
        let child = address2(factory, 7, &mortal());
        let users: Vec<_> = (0..6).map(|n| s.user(n)).collect();
        for _ in 0..2 {
            for round in 0..3 {
                s.spin();
                s.tx(Tx::call(users[round], factory).words(&[alloy_primitives::U256::from(7)]).value(5));
                s.tx(Tx::pay(users[3], child, 11).gas(50_000));
                s.tx(Tx::call(users[4], child).words(&[word(at(900))]));
            }
            s.next_block();
        }
        let report = s.check().all_succeed();
        assert_eq!(report.account(child), None);
        assert_eq!(report.account(at(900)).unwrap().balance.to::<u64>(), 6 * 16);
    }
}
