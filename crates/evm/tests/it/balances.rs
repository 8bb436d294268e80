//! Balances that are read, bounded, drained and overfull.

use crate::common::asm::{addr, arg, asm, get, num, slot, word};
use crate::common::contracts::*;
use crate::common::{Fork, Scenario, Tx, at, ether};
use alloy_primitives::{Address, U256};
use revm::bytecode::opcode as op;

const FORKS: [Fork; 6] =
    [Fork::Homestead, Fork::SpuriousDragon, Fork::Istanbul, Fork::London, Fork::Shanghai, Fork::Prague];
const LATE: [Fork; 3] = [Fork::Istanbul, Fork::London, Fork::Prague];

#[test]
fn the_beneficiary_sends_receives_and_runs_code() {
    for fork in FORKS {
        let mut s = Scenario::new(fork);
        let beneficiary = at(1);
        s.contract(at(2), &forwarder(), 1_000);
        s.fund(beneficiary, ether(1));
        s.header().beneficiary = beneficiary;
        for n in 0..4 {
            let user = s.user(n);
            s.tx(Tx::pay(user, beneficiary, 3 + n));
            s.tx(Tx::pay(beneficiary, user, 2));
            s.tx(Tx::call(beneficiary, at(2)).words(&[word(beneficiary), U256::from(5)]));
            s.spin();
        }
        if fork >= Fork::Shanghai {
            s.withdraw(beneficiary, 7);
        }
        s.check().all_succeed();
    }
}

#[test]
fn the_beneficiary_is_a_contract() {
    for fork in FORKS {
        let mut s = Scenario::new(fork);
        let beneficiary = at(1);
        s.contract(beneficiary, &interpreter(), 10);
        s.header().beneficiary = beneficiary;
        for n in 0..4 {
            let user = s.user(n);
            s.tx(Tx::call(user, beneficiary).input(script([pays(at(900), 4)])).value(1));
            s.tx(Tx::call(user, beneficiary).input(script([pays(at(900), 1_000_000)])));
            s.spin();
        }
        s.tx(Tx::call(at(0x1000), beneficiary).input(script([Do::Die(at(901))])));
        s.spin();
        s.check().valid();
    }
}

#[test]
fn the_beneficiary_s_balance_is_read_while_fees_come_in() {
    for fork in FORKS {
        for opcode in [op::BALANCE, op::EXTCODESIZE, op::EXTCODEHASH] {
            let mut s = Scenario::new(fork);
            let beneficiary = s.header().beneficiary;
            s.contract(at(1), &looker(opcode), 0);
            for n in 0..6 {
                let user = s.user(n);
                s.tx(Tx::call(user, at(1)).words(&[word(beneficiary)]).price(10 + u128::from(n)));
                s.spin();
            }
            s.check().valid();
        }
    }
}

#[test]
fn the_sender_that_pays_the_whole_fee_to_itself() {
    for fork in FORKS {
        let mut s = Scenario::new(fork);
        let sender = at(1);
        s.header().beneficiary = sender;
        s.fund(sender, 210_000 + 50);
        let user = s.user(0);
        s.tx(Tx::pay(user, sender, 21_000 * 10));
        s.tx(Tx::pay(sender, at(900), 50));
        s.tx(Tx::pay(sender, at(900), 50));
        s.check().valid();
    }
}

#[test]
fn own_balance_is_read_while_payments_come_in() {
    for fork in LATE {
        let mut s = Scenario::new(fork);
        let code = asm().log(get(op::SELFBALANCE)).sstore(get(op::SELFBALANCE), num(1)).op(op::STOP);
        s.contract(at(1), &code.build(), 5);
        for n in 0..8 {
            let user = s.user(n);
            s.tx(Tx::call(user, at(1)).value(n));
        }
        s.check().all_succeed();
    }
}

#[test]
fn the_code_hash_of_an_account_that_comes_into_being_meanwhile() {
    for fork in LATE {
        let mut s = Scenario::new(fork);
        s.contract(at(1), &looker(op::EXTCODEHASH), 0);
        for n in 0..6 {
            let (payer, user, target) = (s.user(n), s.user(50 + n), at(900 + n / 2));
            s.slow.push(payer);
            s.tx(Tx::pay(payer, target, n % 2));
            s.tx(Tx::call(user, at(1)).words(&[word(target)]));
        }
        s.check().all_succeed();
    }
}

#[test]
fn a_sender_funded_just_in_time() {
    for fork in FORKS {
        let mut s = Scenario::new(fork);
        for n in 0..4 {
            let (payer, poor) = (s.user(n), at(900 + n));
            s.slow.push(payer);
            s.spin();
            s.tx(Tx::pay(payer, poor, 21_000 * 10 + n));
            // Drained to exactly zero.
            s.tx(Tx::pay(poor, at(950), n));
        }
        s.check().all_succeed();
    }
}

#[test]
fn a_sender_that_spends_what_others_sent_it_through_a_chain() {
    for fork in FORKS {
        let mut s = Scenario::new(fork);
        let mut from = s.user(0);
        let mut value = 10_000_000_000_u64;
        for n in 0..12 {
            let to = at(900 + n);
            s.tx(Tx::pay(from, to, value));
            value -= 210_000;
            from = to;
        }
        s.check().all_succeed();
    }
}

#[test]
fn contracts_that_pay_if_they_can() {
    for fork in FORKS {
        let mut s = Scenario::new(fork);
        s.contract(at(1), &forwarder(), 0);
        s.fund(at(900), 1);
        let pay = |s: &mut Scenario, n: u64, value: u64| {
            let user = s.user(n);
            s.tx(Tx::call(user, at(1)).words(&[word(at(900)), U256::from(value)]));
        };
        for n in 0..4 {
            let payer = s.user(50 + n);
            s.slow.push(payer);
            pay(&mut s, n, 10);
            s.tx(Tx::call(payer, at(1)).words(&[word(at(900)), U256::ZERO]).value(10 + n));
            s.spin();
            pay(&mut s, n + 10, 10);
            pay(&mut s, n + 20, 1);
            pay(&mut s, n + 30, 100);
        }
        s.check().all_succeed();
    }
}

#[test]
fn sums_that_pass_through_zero() {
    for fork in FORKS {
        let mut s = Scenario::new(fork);
        s.contract(at(1), &interpreter(), 5);
        s.contract(at(2), &interpreter(), 0);
        for n in 0..6 {
            let user = s.user(n);
            let back = Do::Call(at(2), U256::from(5), script([pays(at(1), 5 + n / 3)]));
            s.tx(Tx::call(user, at(1)).input(script([back, pays(at(2), 5), pays(at(900), n % 2)])));
            let payer = s.user(10 + n);
            s.tx(Tx::call(payer, at(2)).value(n % 3).input(script([pays(at(1), n)])));
        }
        s.check().valid();
    }
}

#[test]
fn a_call_with_value_pays_for_a_new_account_only_if_nobody_made_it_before() {
    for fork in FORKS {
        let mut s = Scenario::new(fork);
        s.contract(at(1), &forwarder(), 1_000);
        for n in 0..8 {
            let (payer, user, target) = (s.user(n), s.user(50 + n), at(900 + n / 2));
            s.slow.push(payer);
            s.spin();
            s.tx(Tx::pay(payer, target, n % 3));
            s.tx(Tx::call(user, at(1)).words(&[word(target), U256::from(n % 2)]));
        }
        s.check().all_succeed();
    }
}

#[test]
fn touching_empty_accounts_before_and_after_eip_161() {
    for fork in [Fork::Frontier, Fork::Homestead, Fork::Tangerine, Fork::SpuriousDragon, Fork::Prague] {
        let mut s = Scenario::new(fork);
        s.contract(at(1), &forwarder(), 1_000);
        s.fund(at(901), 0);
        s.fund(at(902), 0);
        s.fund(at(903), 0);
        s.contract(at(904), &mortal(), 0);
        for (n, target) in [at(900), at(901), at(904), at(905)].into_iter().enumerate() {
            let (user, other) = (s.user(n as u64), s.user(50));
            s.tx(Tx::pay(user, target, 0).gas(50_000));
            s.tx(Tx::call(other, at(1)).words(&[word(target), U256::ZERO]));
            s.tx(Tx::call(other, at(904)).words(&[word(at(902))]));
        }
        s.next_block();
        let user = s.user(9);
        s.tx(Tx::call(user, at(1)).words(&[word(at(903)), U256::ZERO]));
        s.tx(Tx::call(user, at(1)).words(&[word(at(900)), U256::ONE]));
        s.check().valid();
    }
}

#[test]
fn free_transactions_touch_the_beneficiary_and_the_sender() {
    for fork in [Fork::Frontier, Fork::Homestead, Fork::SpuriousDragon, Fork::Istanbul] {
        let mut s = Scenario::new(fork);
        for n in 0..4 {
            s.tx(Tx::pay(at(900 + n), at(910), 0).price(0));
            s.spin();
            let user = s.user(n);
            s.tx(Tx::pay(user, at(900 + n), 1));
            s.tx(Tx::pay(at(900 + n), user, 1).price(0));
        }
        s.check().all_succeed();
    }
}

/// Pays `target` if slot 0 of the contract at `source` is zero.
fn pays_if_unset(source: Address, target: Address) -> Vec<u8> {
    asm()
        .mstore(0, num(0))
        .then(num(32))
        .then(num(0))
        .then(num(0))
        .then(num(0))
        .then(num(0))
        .then(addr(source))
        .then(num(50_000))
        .op(op::CALL)
        .op(op::POP)
        .jump_if(num(0).op(op::MLOAD), "end")
        .call(addr(target), num(1), 0)
        .label("end")
        .op(op::STOP)
        .build()
}

#[test]
fn a_free_transaction_of_a_sender_that_is_paid_only_while_speculating() {
    for fork in [Fork::Homestead, Fork::SpuriousDragon, Fork::Istanbul] {
        let mut s = Scenario::new(fork);
        // Without input it answers slot 0; with input it takes its time and sets it.
        let flag = asm()
            .jump_if(get(op::CALLDATASIZE), "set")
            .mstore(0, slot(0))
            .then(num(32))
            .then(num(0))
            .op(op::RETURN)
            .label("set")
            .spin(3_000)
            .sstore(num(0), arg(0))
            .op(op::STOP);
        s.contract(at(1), &flag.build(), 0);
        let sender = at(900);
        s.contract(at(2), &pays_if_unset(at(1), sender), 100);
        let users: Vec<_> = (0..2).map(|n| s.user(n)).collect();
        s.spin();
        s.tx(Tx::call(users[0], at(1)).words(&[U256::ONE]));
        s.tx(Tx::call(users[1], at(2)));
        s.tx(Tx::pay(sender, at(901), 0).price(0));
        s.check_often().all_succeed();
    }
}

#[test]
fn a_precompile_touched_by_a_call_that_runs_out_of_gas() {
    for fork in [Fork::Homestead, Fork::Tangerine, Fork::SpuriousDragon, Fork::Byzantium] {
        for precompile in 1..5 {
            let mut s = Scenario::new(fork);
            let target = Address::with_last_byte(precompile);
            s.fund(target, 0);
            let call = asm().call_with_gas(num(1), addr(target), num(0), 0).op(op::POP);
            s.contract(at(1), &call.clone().op(op::STOP).build(), 0);
            s.contract(at(2), &call.revert().build(), 0);
            s.contract(at(3), &looker(op::BALANCE), 0);
            let user = s.user(0);
            s.tx(Tx::call(user, at(1)));
            s.tx(Tx::call(user, at(2)));
            s.tx(Tx::call(user, at(3)).words(&[word(target)]));
            s.check().valid();
        }
    }
}
