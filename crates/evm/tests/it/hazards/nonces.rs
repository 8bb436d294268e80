//! A nonce too high or too low in the middle of a block: the stream ends with an error that names the transaction; nobody
//! waits for the nonce that never comes.

use crate::common::gates::{Event, Hold, hold};
use crate::common::{Fork, Scenario, Tx, at};
use alloy_primitives::Address;

const FORKS: [Fork; 3] = [Fork::Homestead, Fork::London, Fork::Prague];

const FIRST: u64 = 900;
const BAD: u64 = 901;

/// An act, a good payment of a user, a bad one, and others after it.
fn with_bad_payment(fork: Fork, from: impl Fn(&mut Scenario) -> Address, nonce: u64) -> Scenario {
    let mut s = Scenario::new(fork);
    s.act([]);
    let user = s.user(0);
    s.tx(Tx::pay(user, at(FIRST), 1));
    let from = from(&mut s);
    s.tx(Tx::pay(from, at(BAD), 1).nonce(nonce));
    for n in 1..4 {
        let other = s.user(n);
        s.tx(Tx::pay(other, at(910 + n), 1));
    }
    s.tx(Tx::pay(user, at(920), 1).nonce(1));
    s
}

/// The bad payment executes before all else, before the user's other one has ended, and after that is final.
fn orders(s: &Scenario) -> [Hold; 3] {
    [
        hold(s.end_of(0), [Event::Read(at(BAD))]),
        hold(Event::Read(at(FIRST)), [Event::Read(at(BAD))]),
        hold(Event::Read(at(BAD)), [Event::Final(1)]),
    ]
}

fn assert_refused(s: &Scenario, reason: &str) {
    for order in orders(s) {
        let error = s.check_held([order]).report.error.unwrap();
        assert!(error.starts_with("Transaction") && error.contains("index: 2"), "{error}");
        assert!(error.contains(reason), "{error}");
    }
}

#[test]
fn a_nonce_that_leaves_a_gap_is_refused() {
    for fork in FORKS {
        // The one left out comes later in the block, which does not help.
        assert_refused(&with_bad_payment(fork, |s| s.user(0), 2), "NonceTooHigh");
    }
}

#[test]
fn a_nonce_that_was_used_is_refused() {
    for fork in FORKS {
        assert_refused(&with_bad_payment(fork, |s| s.user(0), 0), "NonceTooLow");
    }
}

#[test]
fn a_wrong_nonce_of_an_account_that_nothing_else_changes_is_refused() {
    for fork in FORKS {
        for (nonce, reason) in [(0, "NonceTooLow"), (7, "NonceTooHigh")] {
            let sender = |s: &mut Scenario| {
                let user = s.user(50);
                let account = tandem_state::Account { nonce: 3, ..s.account(user) };
                s.store.set_account(user, account);
                user
            };
            assert_refused(&with_bad_payment(fork, sender, nonce), reason);
        }
    }
}

#[test]
fn a_good_nonce_is_accepted_in_every_order() {
    for fork in FORKS {
        let mut s = with_bad_payment(fork, |s| s.user(50), 0);
        let user = s.user(50);
        s.tx(Tx::pay(user, at(930), 1).nonce(1));
        for order in orders(&s) {
            s.check_held([order]).valid();
        }
        // A nonce is predicted, so that one sender's payments do not wait for each other.
        s.check_held([hold(Event::Read(at(BAD)), [Event::Read(at(930))])]).never_conflict();
    }
}
