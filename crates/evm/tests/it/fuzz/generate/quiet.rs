//! Cases in which nobody changes what others rely on, though much is written: what was there before, or what is taken back.
//! A write that leaves a value as it was is none, so nothing may be found in conflict, whatever the schedule.

use super::cast::restorer;
use crate::common::asm::{addr, arg, asm, get, num, of, slot, word};
use crate::common::contracts::{Do, copier, interpreter, script};
use crate::common::rng::Rng;
use crate::common::{Fork, Tx, at, ether};
use crate::fuzz::case::{Case, CaseAccount, CaseBlock, CaseTx};
use alloy_primitives::{Address, Bytes, U256};
use revm::bytecode::opcode as op;

const RESTORER: u64 = 1;
const COPIER: u64 = 2;
const BOUNCER: u64 = 3;
const LOOKER: u64 = 4;
const REVERTER: u64 = 5;
const READER: u64 = 6;
const SENDERS: u64 = 0x3000;

/// Sends what it gets back to where it came from.
fn bouncer() -> Vec<u8> {
    asm().call(get(op::CALLER), get(op::CALLVALUE), 0).op(op::STOP).build()
}

/// Sends some wei to an address that sends it back.
fn play(to: Address, value: u64) -> Vec<u8> {
    asm()
        .jump_if(get(op::CALLVALUE), "back")
        .call(addr(to), num(value), 0)
        .op(op::STOP)
        .label("back")
        .op(op::STOP)
        .build()
}

/// Logs what a slot of its own holds, and somebody's balance.
fn reader() -> Vec<u8> {
    asm().log(arg(0).op(op::SLOAD)).log(of(op::BALANCE, arg(1))).op(op::STOP).build()
}

/// Changes a slot and what it has, and takes it all back.
fn reverter() -> Vec<u8> {
    asm().add_to(0, num(1)).call(addr(at(LOOKER)), num(1), 0).then(slot(0)).revert().build()
}

pub(super) fn case(rng: &mut Rng) -> Case {
    // Later calls leave the called in existence, and no empty account comes into being.
    let fork = *rng.pick(&Fork::ALL[4..]);
    let players: Vec<_> = (0..3).map(|n| at(0x40 + n)).collect();
    let storage: Vec<_> = (0..3).map(|slot| (U256::from(slot), U256::from(5))).collect();
    let contract = |address: Address, code: Vec<u8>| CaseAccount {
        address,
        balance: U256::from(50),
        nonce: 1,
        code: code.into(),
        storage: storage.clone(),
    };
    let mut accounts = vec![
        contract(at(RESTORER), restorer_that_shows()),
        contract(at(COPIER), copier()),
        contract(at(BOUNCER), bouncer()),
        contract(at(LOOKER), interpreter()),
        contract(at(REVERTER), reverter()),
        contract(at(READER), reader()),
    ];
    accounts.extend(players.iter().map(|player| contract(*player, play(at(BOUNCER), 1 + rng.below(9)))));
    let everybody: Vec<_> = (RESTORER..=READER).map(at).chain(players.iter().copied()).collect();
    let mut senders = 0;
    let mut blocks = Vec::new();
    for _ in 0..1 + rng.below(3) {
        let mut block = CaseBlock::new(fork);
        for _ in 0..20 + rng.below(30) {
            let from = at(SENDERS + senders);
            senders += 1;
            accounts.push(CaseAccount { address: from, balance: ether(1), ..CaseAccount::default() });
            let slot = U256::from(rng.below(3));
            let tx = match rng.below(6) {
                0 => Tx::call(from, at(RESTORER)).words(&[slot]),
                // All slots hold the same.
                1 => Tx::call(from, at(COPIER)).words(&[slot, U256::from(rng.below(3))]),
                2 => Tx::call(from, *rng.pick(&players)),
                3 => Tx::call(from, at(REVERTER)),
                4 => Tx::call(from, at(LOOKER)).input(attempt(rng)),
                _ => Tx::call(from, at(READER)).words(&[slot, word(*rng.pick(&everybody))]),
            };
            block.transactions.push(CaseTx { tx, broken: false });
        }
        blocks.push(block);
    }
    let slow = (0..rng.below(3)).map(|_| *rng.pick(&everybody)).collect();
    let mut case = Case { accounts, absent: vec![], slow, blocks, quiet: true };
    case.settle();
    case
}

/// A script whose end takes everything back.
fn attempt(rng: &mut Rng) -> Bytes {
    let pay = Do::Call(at(BOUNCER), U256::from(rng.below(9)), Bytes::new());
    let copy = Do::Call(at(COPIER), U256::ZERO, crate::common::asm::words(&[U256::ZERO, U256::from(9)]));
    script([pay, copy, Do::Revert])
}

/// Logs what it restores, so that everybody who writes also relies on what is there.
fn restorer_that_shows() -> Vec<u8> {
    let mut code = asm().log(arg(0).op(op::SLOAD)).build();
    code.extend(restorer());
    code
}
