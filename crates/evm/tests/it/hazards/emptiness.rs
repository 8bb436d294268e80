//! Empty accounts and touches, before and after EIP-161 (Spurious Dragon): calls with no value, accounts that were empty
//! all along, and RIPEMD-160, whose touch outlasts a failed call.

use crate::common::asm::{addr, asm, num, word};
use crate::common::contracts::*;
use crate::common::{Fork, Scenario, Tx, at};
use alloy_primitives::{Address, U256};
use revm::bytecode::opcode as op;

const BEFORE: [Fork; 3] = [Fork::Frontier, Fork::Homestead, Fork::Tangerine];
const SINCE: [Fork; 4] = [Fork::SpuriousDragon, Fork::Byzantium, Fork::London, Fork::Prague];

#[test]
fn before_eip_161_a_call_without_value_makes_an_account_for_which_the_next_one_pays_no_more() {
    for fork in BEFORE {
        let mut s = Scenario::new(fork);
        (0..3).for_each(|_| s.act([pays(at(900), 0)]));
        let runs = s.check_orders().conflict_about("life");
        assert_eq!(runs.account(at(900)), Some(Default::default()));
    }
}

#[test]
fn since_eip_161_a_call_without_value_makes_nothing() {
    for fork in SINCE {
        let mut s = Scenario::new(fork);
        (0..3).for_each(|_| s.act([pays(at(900), 0)]));
        assert_eq!(s.check_orders().never_conflict().account(at(900)), None);
    }
}

#[test]
fn since_eip_161_a_call_without_value_removes_an_account_that_was_empty_all_along() {
    for fork in SINCE {
        let mut s = Scenario::new(fork);
        s.fund(at(900), 0);
        s.fund(at(901), 0);
        (0..2).for_each(|_| s.act([pays(at(900), 0)]));
        let runs = s.check_orders().never_conflict();
        assert_eq!(runs.account(at(900)), None);
        assert_eq!(runs.account(at(901)), Some(Default::default()), "nobody touched it");
    }
}

#[test]
fn before_eip_161_an_empty_account_stays() {
    for fork in BEFORE {
        let mut s = Scenario::new(fork);
        s.fund(at(900), 0);
        (0..2).for_each(|_| s.act([pays(at(900), 0)]));
        assert_eq!(s.check_orders().never_conflict().account(at(900)), Some(Default::default()));
    }
}

#[test]
fn a_call_with_value_pays_for_the_account_only_if_it_comes_first() {
    for fork in BEFORE.into_iter().chain(SINCE) {
        for values in [[1, 1, 1], [0, 1, 1], [1, 0, 2]] {
            let mut s = Scenario::new(fork);
            values.into_iter().for_each(|value| s.act([pays(at(900), value)]));
            let runs = s.check_orders().conflict();
            assert_eq!(runs.balance(at(900)), U256::from(values.iter().sum::<u64>()));
        }
    }
}

#[test]
fn an_account_that_is_emptied_and_touched_goes_and_comes_back() {
    for fork in SINCE {
        let mut s = Scenario::new(fork);
        s.contract(at(1), &mortal(), 0);
        s.contract(at(2), &mortal(), 6);
        // Sends all that it has, by a free transaction where there are any: its nonce keeps it alive then.
        s.act([tells(at(2), word(at(900)))]);
        s.act([tells(at(1), word(at(900)))]);
        s.act([pays(at(900), 0)]);
        let runs = s.check_orders().conflict();
        assert_eq!(runs.balance(at(900)), U256::from(6));
    }
}

#[test]
fn the_hash_of_the_code_of_an_account_tells_whether_it_is_empty() {
    for fork in [Fork::Petersburg, Fork::London, Fork::Prague] {
        let mut s = Scenario::new(fork);
        s.contract(at(1), &looker(op::EXTCODEHASH), 0);
        s.act([pays(at(900), 0)]);
        s.act([tells(at(1), word(at(900)))]);
        s.act([pays(at(900), 1)]);
        s.act([tells(at(1), word(at(900)))]);
        s.check_orders().conflict_about("balance");
    }
}

#[test]
fn a_transaction_without_value_and_price_touches_both_ends_and_the_beneficiary() {
    for fork in [Fork::Homestead, Fork::SpuriousDragon, Fork::Byzantium] {
        let mut s = Scenario::new(fork);
        let beneficiary = s.header().beneficiary;
        s.fund(at(900), 0);
        s.fund(beneficiary, 0);
        s.act_with([pays(at(900), 0)], |tx| tx.price(0));
        s.tx(Tx::pay(at(901), at(902), 0).price(0));
        s.act_with([pays(at(902), 0)], |tx| tx.price(0));
        let runs = s.check_orders().valid();
        let kept = fork < Fork::SpuriousDragon;
        assert_eq!([at(900), at(902)].map(|address| runs.account(address).is_some()), [kept; 2]);
        // Its nonce tells that it has sent something.
        assert_eq!(runs.account(at(901)).unwrap().nonce, 1);
    }
}

/// Calls a precompile with too little gas, then says whether that succeeded.
fn starved(precompile: Address) -> Vec<u8> {
    asm().log(asm().call_with_gas(num(1), addr(precompile), num(0), 0)).op(op::STOP).build()
}

#[test]
fn the_touch_of_ripemd_160_outlasts_a_call_that_runs_out_of_gas() {
    for fork in [Fork::Tangerine, Fork::SpuriousDragon, Fork::Byzantium] {
        for precompile in [2, 3, 4] {
            let mut s = Scenario::new(fork);
            let target = Address::with_last_byte(precompile);
            s.fund(target, 0);
            s.contract(at(1), &starved(target), 0);
            s.contract(at(2), &starved(target), 0);
            s.act([pays(at(1), 0)]);
            s.act([pays(at(2), 0)]);
            let runs = s.check_orders().never_conflict();
            let removed = precompile == 3 && fork >= Fork::SpuriousDragon;
            assert_eq!(runs.account(target).is_none(), removed, "{fork:?}, {target}");
        }
    }
}

#[test]
fn ripemd_160_is_paid_while_a_call_to_it_runs_out_of_gas() {
    for fork in [Fork::Tangerine, Fork::SpuriousDragon, Fork::Byzantium] {
        let mut s = Scenario::new(fork);
        let target = Address::with_last_byte(3);
        s.fund(target, 0);
        s.contract(at(1), &starved(target), 0);
        s.act([pays(at(1), 0)]);
        s.act([pays(target, 1)]);
        s.act([pays(at(1), 0)]);
        let runs = s.check_orders().valid();
        assert_eq!(runs.balance(target), U256::ONE);
    }
}
