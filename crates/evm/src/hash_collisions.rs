//! Accounts and slots whose hashes collide. In this crate's unit tests all keys of the engine's table have the same
//! 64-bit hash (see [`crate::engine::location::Key`]), so that it tells accounts and slots apart by comparing them, or not at all.

#[path = "../tests/it/common/mod.rs"]
#[allow(clippy::unwrap_used)]
mod common;

use crate::engine::location::Key;
use alloy_primitives::{Address, U256};
use common::asm::{arg, asm, word};
use common::contracts::*;
use common::{Fork, Scenario, Tx, at};
use revm::bytecode::opcode as op;
use std::hash::BuildHasher;

const FORKS: [Fork; 3] = [Fork::Homestead, Fork::Shanghai, Fork::Prague];

/// Adds its second word to the slot in its first.
fn adder() -> Vec<u8> {
    asm().sstore(arg(0), arg(1).then(arg(0).op(op::SLOAD)).op(op::ADD)).op(op::STOP).build()
}

fn add(contract: Address, slot: u64, amount: u64) -> Do {
    Do::Call(contract, U256::ZERO, common::asm::words(&[U256::from(slot), U256::from(amount)]))
}

#[test]
fn all_keys_have_one_hash() {
    let state = alloy_primitives::map::DefaultHashBuilder::default();
    let slot = Key::Slot { world: 0, address: at(1), generation: 0, slot: U256::ONE };
    let keys = [slot, Key::Account { world: 0, address: at(1) }, Key::Account { world: 1, address: at(2) }];
    for key in keys {
        assert_eq!(state.hash_one(key), state.hash_one(slot));
    }
}

#[test]
fn two_slots_whose_hashes_collide_are_two() {
    for fork in FORKS {
        let mut s = Scenario::new(fork);
        s.contract(at(1), &adder(), 0);
        s.set_storage(at(1), 5, 1_000);
        s.act([add(at(1), 5, 1)]);
        s.act([add(at(1), 6, 2)]);
        s.act([add(at(1), 5, 4), add(at(1), 6, 8)]);
        let runs = s.check_orders().conflict_about("storage");
        assert_eq!((runs.report.storage(at(1), 5), runs.report.storage(at(1), 6)), (1_005, 10));
    }
}

#[test]
fn one_slot_of_two_accounts_whose_hashes_collide_is_two() {
    for fork in FORKS {
        let mut s = Scenario::new(fork);
        s.contract(at(1), &adder(), 0);
        s.contract(at(2), &adder(), 0);
        s.act([add(at(1), 5, 1)]);
        s.act([add(at(2), 5, 2)]);
        // They have nothing to do with each other.
        let runs = s.check_orders().never_conflict();
        assert_eq!((runs.report.storage(at(1), 5), runs.report.storage(at(2), 5)), (1, 2));
    }
}

#[test]
fn two_accounts_whose_hashes_collide_are_two() {
    for fork in FORKS {
        let mut s = Scenario::new(fork);
        s.contract(at(1), &looker(op::BALANCE), 0);
        s.fund(at(900), 1);
        s.fund(at(901), 2);
        s.act([pays(at(900), 10), pays(at(901), 20)]);
        s.act([tells(at(1), word(at(900)))]);
        s.act([tells(at(1), word(at(901)))]);
        let runs = s.check_orders().conflict_about("balance");
        assert_eq!(runs.balances([at(900), at(901)]), [11, 22]);
    }
}

#[test]
fn generations_of_one_slot_whose_hashes_collide_are_apart() {
    let mut s = Scenario::new(Fork::Shanghai);
    s.contract(at(1), &factory2(&mortal()), 0);
    let child = address2(at(1), 7, &mortal());
    s.contract(child, &mortal(), 5);
    s.set_storage(child, 0, 9);
    s.act([tells(child, word(at(900)))]);
    s.act([tells(at(1), U256::from(7))]);
    s.act([pays(child, 2)]);
    let runs = s.check_orders().conflict();
    assert_eq!((runs.report.storage(child, 0), runs.balance(child)), (0, U256::from(2)));
}

#[test]
fn a_block_of_many_accounts_and_slots_that_all_collide() {
    for fork in FORKS {
        let mut s = Scenario::new(fork);
        s.contract(at(1), &token(), 0);
        s.contract(at(2), &counter(), 0);
        for n in 0..40 {
            let (user, next) = (s.user(n % 20), s.user((n + 1) % 20));
            s.store.set_storage(at(1), word(user), U256::from(50));
            s.tx(Tx::call(user, at(1)).words(&[word(next), U256::from(3 + n)]));
            s.tx(Tx::pay(user, next, n));
            s.tx(Tx::call(next, at(2)));
        }
        let report = s.check().all_succeed();
        assert_eq!(report.storage(at(2), 0), 40);
    }
}
