//! SELFDESTRUCT of contracts whose balance changes meanwhile.

use crate::common::asm::{arg, asm, get, num, word};
use crate::common::contracts::*;
use crate::common::{Fork, Scenario, Tx, at};
use alloy_primitives::{Address, U256};
use revm::bytecode::opcode as op;

const FORKS: [Fork; 4] = [Fork::SpuriousDragon, Fork::London, Fork::Shanghai, Fork::Prague];

/// A contract at 1, with `balance`; its target at 900 holds ether.
fn pot(fork: Fork, balance: u64) -> Scenario {
    let mut s = Scenario::new(fork);
    s.contract(at(1), &mortal(), balance);
    s.contract(at(2), &interpreter(), 1_000_000);
    s.contract(at(3), &interpreter(), 1_000_000);
    s.fund(at(900), 1_000);
    s
}

fn pay(s: &mut Scenario, users: std::ops::Range<u64>, to: Address) {
    for n in users {
        let user = s.user(100 + n);
        s.tx(Tx::pay(user, to, 7).gas(60_000));
    }
}

fn interpret(s: &mut Scenario, steps: impl IntoIterator<Item = Do>) {
    let user = s.user(0);
    s.tx(Tx::call(user, at(2)).input(script(steps)));
}

fn sweep() -> Do {
    tells(at(1), word(at(900)))
}

#[test]
fn a_sweep_whose_amount_moved_is_repaired() {
    let mut repairs = 0;
    for fork in FORKS {
        let mut s = pot(fork, 40);
        for _ in 0..3 {
            s.spin();
            pay(&mut s, 0..10, at(1));
            let killer = s.user(1);
            s.tx(Tx::call(killer, at(1)).words(&[word(at(900))]));
        }
        repairs += s.check().all_succeed().metrics.repairs;
    }
    assert!(repairs > 0);
}

#[test]
fn a_sweep_reverted_by_a_caller_moves_nothing() {
    for fork in FORKS {
        for balance in [0, 40] {
            let mut s = pot(fork, balance);
            s.spin();
            pay(&mut s, 0..10, at(1));
            let inner = script([pays(at(1), 5), sweep(), Do::Revert]);
            interpret(&mut s, [Do::Call(at(3), U256::ZERO, inner)]);
            s.check_often().all_succeed();
        }
    }
}

/// Destroys itself, with what it was just paid.
fn trap() -> Vec<u8> {
    asm().jump_if(get(op::CALLDATASIZE), "die").op(op::STOP).label("die").selfdestruct(arg(0)).build()
}

#[test]
fn a_reverted_sweep_of_what_was_just_paid_moves_nothing() {
    for fork in FORKS {
        let mut s = pot(fork, 0);
        s.contract(at(1), &trap(), 0);
        s.spin();
        s.slow = (0..3).map(|n| s.user(100 + n)).collect();
        pay(&mut s, 0..3, at(1));
        let die = Do::Call(at(1), U256::from(5), word(at(900)).to_be_bytes::<32>().to_vec().into());
        interpret(&mut s, [Do::Call(at(3), U256::ZERO, script([die, Do::Revert]))]);
        s.check_often().all_succeed();
    }
}

#[test]
fn a_target_that_sends_on_what_it_received() {
    for fork in FORKS {
        let mut s = pot(fork, 40);
        let forward = Do::Call(at(3), U256::ZERO, script([pays(at(901), 1_000_030)]));
        s.spin();
        pay(&mut s, 0..10, at(1));
        interpret(&mut s, [tells(at(1), word(at(3))), forward]);
        s.check_often().valid();
    }
}

#[test]
fn a_target_whose_balance_is_read_after_the_sweep() {
    for fork in FORKS {
        for opcode in [op::BALANCE, op::EXTCODESIZE] {
            let mut s = pot(fork, 40);
            s.contract(at(4), &looker(opcode), 0);
            s.spin();
            pay(&mut s, 0..10, at(1));
            interpret(&mut s, [sweep(), tells(at(4), word(at(900)))]);
            s.check_often().all_succeed();
        }
    }
}

#[test]
fn a_target_that_is_the_sender_the_beneficiary_or_somebody_new() {
    for fork in FORKS {
        let mut s = pot(fork, 40);
        let (beneficiary, sender) = (s.header().beneficiary, s.user(1));
        for target in [beneficiary, sender, at(950)] {
            s.spin();
            pay(&mut s, 0..6, at(1));
            s.tx(Tx::call(sender, at(1)).words(&[word(target)]));
        }
        s.check_often().all_succeed();
    }
}

#[test]
fn a_sender_that_pays_with_what_it_received_from_a_sweep() {
    for fork in FORKS {
        let mut s = pot(fork, 40);
        let sender = at(77);
        s.fund(sender, 500_000 * 10);
        s.spin();
        pay(&mut s, 0..10, at(1));
        s.tx(Tx::call(sender, at(1)).words(&[word(sender)]));
        let user = s.user(5);
        s.tx(Tx::pay(user, sender, 21_000 * 10));
        s.tx(Tx::pay(sender, at(900), 60));
        s.check_often().all_succeed();
    }
}

#[test]
fn a_source_that_pays_before_it_is_swept() {
    for fork in FORKS {
        let mut s = pot(fork, 0);
        s.contract(at(5), &interpreter(), 40);
        s.spin();
        pay(&mut s, 0..10, at(1));
        for n in 0..10 {
            let user = s.user(100 + n);
            s.tx(Tx::call(user, at(5)).value(7).gas(60_000));
        }
        let user = s.user(1);
        s.tx(Tx::call(user, at(5)).input(script([pays(at(901), 45), Do::Die(at(900))])));
        s.check_often().valid();
    }
}

#[test]
fn a_source_that_is_emptied_meanwhile() {
    for fork in FORKS {
        let mut s = pot(fork, 0);
        s.contract(at(5), &interpreter(), 40);
        let users = [s.user(1), s.user(2), s.user(3)];
        s.spin();
        for value in [30, 10] {
            s.tx(Tx::call(users[0], at(5)).input(script([pays(at(901), value)])));
        }
        s.tx(Tx::call(users[1], at(5)).input(script([Do::Die(at(902))])));
        s.tx(Tx::pay(users[2], at(5), 3).gas(60_000));
        s.check_often().valid();
    }
}

#[test]
fn a_source_that_is_paid_again_after_its_sweep() {
    for fork in FORKS {
        let mut s = pot(fork, 40);
        s.spin();
        pay(&mut s, 0..10, at(1));
        interpret(&mut s, [sweep(), pays(at(1), 3)]);
        pay(&mut s, 0..3, at(1));
        interpret(&mut s, [sweep()]);
        s.check_often().all_succeed();
    }
}

#[test]
fn two_sweeps_by_one_transaction() {
    for fork in FORKS {
        let mut s = pot(fork, 40);
        s.contract(at(6), &mortal(), 9);
        s.spin();
        pay(&mut s, 0..5, at(1));
        pay(&mut s, 5..10, at(6));
        interpret(&mut s, [tells(at(1), word(at(6))), tells(at(6), word(at(900)))]);
        s.check_often().all_succeed();
    }
}

/// Destroys a contract with just too little gas to pay for a new account, unless somebody funds the target before.
#[test]
fn a_sweep_that_cannot_pay_for_a_new_account_depends_on_whether_there_is_one() {
    for fork in [Fork::SpuriousDragon, Fork::London, Fork::Shanghai, Fork::Prague] {
        let mut s = pot(fork, 40);
        let target = at(960);
        let call = asm().mstore(0, num(word(target))).call_with_gas(
            num(20_000),
            crate::common::asm::addr(at(1)),
            num(0),
            32,
        );
        s.contract(at(4), &call.then(num(0)).op(op::SSTORE).op(op::STOP).build(), 0);
        let (payer, user) = (s.user(1), s.user(2));
        s.slow.push(payer);
        s.spin();
        s.tx(Tx::pay(payer, target, 5));
        s.tx(Tx::call(user, at(4)));
        s.check_often().all_succeed();
    }
}
