//! Accounts that come and go.

use crate::common::asm::{addr, arg, asm, deploys, get, num, runs_and_deploys, slot, word};
use crate::common::contracts::*;
use crate::common::{Fork, Scenario, Tx, at};
use alloy_primitives::{Address, U256};
use revm::bytecode::opcode as op;

const BEFORE_CANCUN: [Fork; 3] = [Fork::Petersburg, Fork::London, Fork::Shanghai];
const EVERY_RULE: [Fork; 9] = [
    Fork::Frontier,
    Fork::Homestead,
    Fork::Tangerine,
    Fork::SpuriousDragon,
    Fork::Istanbul,
    Fork::London,
    Fork::Shanghai,
    Fork::Cancun,
    Fork::Prague,
];

fn balance(report: &crate::common::Report, address: Address) -> u64 {
    report.account(address).map_or(0, |account| account.balance.to())
}

#[test]
fn a_destroyed_contract_is_created_again_in_the_same_block_and_the_next() {
    for fork in BEFORE_CANCUN {
        let mut s = Scenario::new(fork);
        let factory = at(1);
        s.contract(factory, &factory2(&mortal()), 0);
        let child = address2(factory, 7, &mortal());
        for _ in 0..2 {
            for n in 0..3 {
                s.spin();
                let (creator, payer, killer) = (s.user(n), s.user(3), s.user(4));
                s.tx(Tx::call(creator, factory).words(&[U256::from(7)]).value(5));
                s.tx(Tx::pay(payer, child, 11).gas(50_000));
                s.tx(Tx::call(killer, child).words(&[word(at(900))]));
            }
            s.next_block();
        }
        let report = s.check().all_succeed();
        assert_eq!(report.account(child), None);
        assert_eq!(balance(&report, at(900)), 6 * 16);
    }
}

/// Creates a mortal child, kills it, pays it and tries to create it again, all in one transaction.
fn creator_and_killer(factory: Address, child: Address) -> alloy_primitives::Bytes {
    let create = || tells(factory, U256::from(7));
    script([create(), tells(child, word(at(901))), pays(child, 3), create()])
}

#[test]
fn a_contract_created_and_destroyed_by_one_transaction_leaves_nothing() {
    for fork in [Fork::Petersburg, Fork::Shanghai, Fork::Cancun, Fork::Osaka] {
        let mut s = Scenario::new(fork);
        let (factory, actor) = (at(1), at(2));
        s.contract(factory, &factory2(&mortal()), 0);
        s.contract(actor, &interpreter(), 1_000);
        let child = address2(factory, 7, &mortal());
        s.fund(child, 50);
        for block in 0..2 {
            for n in 0..4 {
                let user = s.user(n);
                s.tx(Tx::call(user, actor).input(creator_and_killer(factory, child)));
                let payer = s.user(10 + n);
                s.tx(Tx::pay(payer, child, 1 + block).gas(50_000));
            }
            s.next_block();
        }
        let report = s.check().all_succeed();
        assert_eq!(balance(&report, at(901)), 50 + 4 + 3 * 2);
    }
}

#[test]
fn a_contract_from_before_cancun_survives_its_destruction_after_it() {
    let mut s = Scenario::new(Fork::Cancun);
    s.contract(at(1), &mortal(), 70);
    s.set_storage(at(1), 3, 4);
    for n in 0..4 {
        let (killer, payer) = (s.user(n), s.user(9));
        s.tx(Tx::call(killer, at(1)).words(&[word(at(900))]));
        s.tx(Tx::pay(payer, at(1), 5).gas(50_000));
    }
    let report = s.check().all_succeed();
    assert_eq!(balance(&report, at(900)), 70 + 3 * 5);
    assert_eq!(balance(&report, at(1)), 5);
    assert_eq!(report.storage(at(1), 3), 4);
}

#[test]
fn destruction_in_favour_of_itself_the_beneficiary_and_accounts_of_all_kinds() {
    for fork in EVERY_RULE {
        let mut s = Scenario::new(fork);
        let beneficiary = s.header().beneficiary;
        s.fund(at(701), 0);
        s.fund(at(702), 1);
        let targets = [at(11), beneficiary, at(700), at(701), at(702), at(12), Address::with_last_byte(4)];
        for balance in [0, 9] {
            for (index, target) in targets.into_iter().enumerate() {
                let contract = at(11 + index as u64 + 100 * balance);
                s.contract(contract, &mortal(), balance);
                let (user, payer) = (s.user(index as u64), s.user(50));
                s.tx(Tx::pay(payer, target, balance / 2).gas(100_000));
                s.tx(Tx::call(user, contract).words(&[word(target)]));
                s.tx(Tx::pay(payer, contract, 2).gas(100_000));
            }
            s.spin();
        }
        s.check().valid();
    }
}

/// Adds its input to slot 0, or destroys itself without any.
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

#[test]
fn storage_of_a_wiped_account_reads_as_zero_later_in_the_block_and_in_the_next() {
    for fork in BEFORE_CANCUN {
        let mut s = Scenario::new(fork);
        s.contract(at(1), &factory2(&adder()), 0);
        let child = address2(at(1), 7, &adder());
        // There is one from before, with storage.
        s.contract(child, &adder(), 0);
        s.set_storage(child, 0, 1_000);
        s.set_storage(child, 1, 1_000);
        let users: Vec<_> = (0..5).map(|n| s.user(n)).collect();
        let add = |s: &mut Scenario, n: usize, by: u64| {
            s.tx(Tx::call(users[n], child).words(&[U256::from(by)]));
        };
        for _ in 0..3 {
            add(&mut s, 0, 1);
            s.tx(Tx::call(users[1], child));
            add(&mut s, 2, 2);
            s.spin();
            s.tx(Tx::call(users[3], at(1)).words(&[U256::from(7)]));
            add(&mut s, 4, 3);
            add(&mut s, 0, 4);
            s.next_block();
        }
        let report = s.check().all_succeed();
        assert_eq!(report.storage(child, 0), 7);
        assert_eq!(report.storage(child, 1), 0);
    }
}

#[test]
fn slots_set_by_a_constructor_belong_to_the_new_account_alone() {
    for fork in BEFORE_CANCUN {
        let mut s = Scenario::new(fork);
        // The constructor stores how often the factory was called, so that the slots differ from time to time.
        let constructor = asm().sstore(get(op::CALLVALUE), num(1)).sstore(num(9), get(op::CALLVALUE));
        let init = runs_and_deploys(constructor, &adder());
        let make = asm().create2(&init, get(op::CALLVALUE), num(0)).then(num(0)).op(op::SSTORE).op(op::STOP);
        s.contract(at(1), &make.build(), 0);
        let child = at(1).create2(alloy_primitives::B256::ZERO, alloy_primitives::keccak256(&init));
        for n in 1..6 {
            let (maker, killer) = (s.user(n), s.user(8));
            s.tx(Tx::call(maker, at(1)).value(n));
            s.tx(Tx::call(maker, child).words(&[U256::from(n)]));
            if n % 2 == 1 {
                s.tx(Tx::call(killer, child));
            }
            if n == 3 {
                s.next_block();
            }
        }
        let report = s.check().valid();
        assert_eq!(report.account(child), None);
    }
}

#[test]
fn an_account_is_destroyed_twice() {
    for fork in EVERY_RULE {
        let mut s = Scenario::new(fork);
        s.contract(at(1), &mortal(), 40);
        s.contract(at(2), &interpreter(), 1_000);
        let (one, other) = (tells(at(1), word(at(900))), tells(at(1), word(at(902))));
        let user = s.user(0);
        let input = script([one, pays(at(1), 6), other]);
        s.tx(Tx::call(user, at(2)).input(input.clone()));
        let payer = s.user(1);
        s.tx(Tx::pay(payer, at(1), 4).gas(60_000));
        s.tx(Tx::call(user, at(2)).input(input));
        s.check().valid();
    }
}

#[test]
fn a_call_to_an_account_that_was_destroyed_is_a_call_to_nobody() {
    for fork in EVERY_RULE {
        let mut s = Scenario::new(fork);
        s.contract(at(1), &mortal(), 40);
        s.contract(at(2), &forwarder(), 1_000);
        let user = s.user(0);
        for value in [0, 1] {
            s.tx(Tx::call(user, at(1)).words(&[word(at(900))]));
            s.tx(Tx::call(user, at(2)).words(&[word(at(1)), U256::from(value)]));
        }
        s.check().valid();
    }
}

#[test]
fn a_reverted_destruction_never_was() {
    for fork in EVERY_RULE {
        let mut s = Scenario::new(fork);
        s.contract(at(1), &mortal(), 40);
        s.contract(at(2), &interpreter(), 1_000);
        s.contract(at(3), &interpreter(), 1_000);
        let inner = script([tells(at(1), word(at(900))), Do::Revert]);
        let input = script([Do::Call(at(3), U256::ZERO, inner), pays(at(1), 2)]);
        for n in 0..3 {
            let (payer, user) = (s.user(9), s.user(n));
            s.tx(Tx::pay(payer, at(1), 4).gas(60_000));
            s.tx(Tx::call(user, at(2)).input(input.clone()));
        }
        s.check().valid();
    }
}

#[test]
fn ether_sent_to_a_destroyed_account_in_the_same_transaction_is_lost_before_cancun() {
    for fork in EVERY_RULE {
        let mut s = Scenario::new(fork);
        s.contract(at(1), &mortal(), 40);
        s.contract(at(2), &interpreter(), 1_000);
        let user = s.user(0);
        s.spin();
        s.tx(Tx::call(user, at(2)).input(script([tells(at(1), word(at(900))), pays(at(1), 7)])));
        let payer = s.user(1);
        s.tx(Tx::pay(payer, at(1), 4).gas(60_000));
        s.tx(Tx::call(user, at(2)).input(script([pays(at(1), 1), tells(at(1), word(at(900)))])));
        s.check().valid();
    }
}

#[test]
fn a_factory_destroys_itself_and_its_children_by_turns() {
    for fork in [Fork::Petersburg, Fork::Shanghai, Fork::Cancun] {
        let mut s = Scenario::new(fork);
        let outer = factory2(&interpreter());
        s.contract(at(1), &outer, 0);
        let child = address2(at(1), 1, &interpreter());
        for n in 0..4 {
            let (maker, user, killer) = (s.user(n), s.user(7), s.user(8));
            s.tx(Tx::call(maker, at(1)).words(&[U256::ONE]).value(100).gas(2_000_000));
            s.tx(Tx::call(user, child).input(script([pays(at(800 + n), 10), pays(at(1), 0)])));
            s.tx(Tx::call(killer, child).input(script([pays(at(900), 1), Do::Die(at(1))])));
        }
        s.check().valid();
    }
}

#[test]
fn init_code_that_destroys_its_own_account() {
    for fork in EVERY_RULE {
        let mut s = Scenario::new(fork);
        for n in 0..4 {
            let user = s.user(n);
            s.tx(Tx::create(user, asm().sstore(num(1), num(2)).selfdestruct(addr(at(900))).build()).value(3));
            s.tx(Tx::create(user, deploys(&mortal())).value(n));
            let created = user.create(1);
            s.tx(Tx::call(user, created).words(&[word(at(900))]));
        }
        s.check().valid();
    }
}
