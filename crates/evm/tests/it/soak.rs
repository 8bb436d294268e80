//! Two blocks in which almost everything depends on what comes before, again and again on eight threads and on one: one result each,
//! and no hang. A run that takes longer than two minutes ends the process.
//!
//! `TANDEM_TIMES=100 cargo test --workspace --test it -- --nocapture soak::` executes them a hundred times as often.

use crate::common::asm::word;
use crate::common::contracts::*;
use crate::common::stores::SlowStore;
use crate::common::{Fork, NEVER, Scenario, Signer, Tx, at, ether, runs_of, stream_watched, with_executor};
use alloy_primitives::{Address, B256, U256, keccak256};
use revm::bytecode::opcode as op;
use std::collections::BTreeMap;
use tandem_evm::{Block, Cut, FinishedBlock, Metrics};

const THREADS: usize = 8;
/// Times that each kind of conflict occurs in a block.
const TURNS: u64 = 6;
/// Transactions in a row that destroy nothing, so that runs get as long as they can.
const CALM: u64 = 80;

const COUNTER: u64 = 1;
const POT: u64 = 2;
const TOKEN: u64 = 3;
const INTERPRETER: u64 = 4;
const OTHER_INTERPRETER: u64 = 5;
const FACTORY: u64 = 6;
const FACTORY2: u64 = 7;
const FORWARDER: u64 = 8;
const BALANCE_LOOKER: u64 = 9;
const HASH_LOOKER: u64 = 10;
const SPENDER: u64 = 11;

/// Pays for a payment.
const FEE: u64 = 210_000;

struct Conflicts {
    s: Scenario,
    beneficiary: Address,
    signer: Signer,
    /// Where [`FACTORY2`] deploys.
    child: Address,
    senders: u64,
}

impl Conflicts {
    fn new(fork: Fork) -> Self {
        let mut s = Scenario::new(fork);
        let contracts = [
            (COUNTER, counter(), 0),
            (POT, mortal(), 40),
            (TOKEN, token(), 0),
            (INTERPRETER, interpreter(), 100),
            (OTHER_INTERPRETER, interpreter(), 0),
            (FACTORY, factory(&mortal()), 0),
            (FACTORY2, factory2(&mortal()), 0),
            (FORWARDER, forwarder(), 5),
            (BALANCE_LOOKER, looker(op::BALANCE), 0),
            (HASH_LOOKER, looker(op::EXTCODEHASH), 0),
            (SPENDER, spender(), 60),
        ];
        for (n, code, balance) in contracts {
            s.contract(at(n), &code, balance);
        }
        let (beneficiary, signer) = (at(0xfee), Signer::new(1));
        s.fund(beneficiary, ether(1));
        s.fund(signer.address, ether(1));
        s.header().beneficiary = beneficiary;
        s.header().gas_limit = 200_000_000;
        let child = address2(at(FACTORY2), 7, &mortal());
        Self { s, beneficiary, signer, child, senders: 0 }
    }

    /// Somebody who has sent nothing yet, or who sends often.
    fn sender(&mut self) -> Address {
        self.senders += 1;
        self.s.user(if self.senders.is_multiple_of(3) { 0 } else { self.senders })
    }

    fn call(&mut self, to: Address, value: u64, input: alloy_primitives::Bytes) {
        let from = self.sender();
        self.s.tx(Tx::call(from, to).value(value).input(input));
    }

    fn tell(&mut self, to: u64, words: &[U256]) {
        self.call(at(to), 0, crate::common::asm::words(words));
    }

    /// A slot that everybody changes, and balances of a token that go round.
    fn slots(&mut self, turn: u64) {
        let from = self.s.user(turn % 2);
        self.s.store.set_storage(at(TOKEN), word(from), U256::from(20));
        for _ in 0..2 {
            self.tell(COUNTER, &[]);
        }
        let to = self.s.user((turn + 1) % 2);
        self.s.tx(Tx::call(from, at(TOKEN)).words(&[word(to), U256::from(3 + turn)]));
    }

    /// The beneficiary sends, receives, is looked at and inherits.
    fn beneficiary(&mut self, turn: u64) {
        let beneficiary = self.beneficiary;
        self.call(beneficiary, 5, Default::default());
        self.tell(BALANCE_LOOKER, &[word(beneficiary)]);
        self.s.tx(Tx::pay(beneficiary, at(900), 3 + turn));
        self.call(at(POT), 7, Default::default());
        self.tell(POT, &[word(beneficiary)]);
    }

    /// Contracts that come and go at one address, and their creators' nonces.
    fn lives(&mut self, turn: u64) {
        let child = self.child;
        self.tell(FACTORY2, &[U256::from(7)]);
        self.call(child, 11, Default::default());
        self.tell(FACTORY, &[]);
        self.tell(HASH_LOOKER, &[word(at(FACTORY).create(turn + 1))]);
        self.call(child, 0, crate::common::asm::words(&[word(at(901))]));
        let create = || tells(at(FACTORY2), U256::from(8));
        let other = address2(at(FACTORY2), 8, &mortal());
        let input = script([create(), tells(other, word(at(902))), pays(other, 1)]);
        self.call(at(INTERPRETER), 2, input);
    }

    /// Accounts that can just pay, and contracts that pay if they can.
    fn funds(&mut self, turn: u64) {
        let poor: Vec<_> = (0..3).map(|n| at(0x9000 + 16 * turn + n)).collect();
        self.call(poor[0], 3 * FEE + 5, Default::default());
        self.s.tx(Tx::pay(poor[0], poor[1], 2 * FEE + 5));
        self.s.tx(Tx::pay(poor[1], poor[2], FEE + 5));
        self.s.tx(Tx::pay(poor[2], at(FORWARDER), 5).gas(21_000));
        self.tell(FORWARDER, &[word(at(903)), U256::from(6)]);
        self.tell(SPENDER, &[word(at(INTERPRETER))]);
        let back = Do::Call(at(OTHER_INTERPRETER), U256::from(4), script([pays(at(INTERPRETER), 4)]));
        self.call(at(INTERPRETER), turn % 2, script([back, pays(at(904), 30)]));
    }

    /// Somebody delegates anew, to something else and to nobody, and is called and pays in between.
    fn delegations(&mut self, turn: u64) {
        if self.s.fork < Fork::Prague {
            return;
        }
        let Signer { address, .. } = self.signer;
        let target = [at(COUNTER), at(COUNTER), Address::ZERO, at(POT)][turn as usize % 4];
        let (from, nonce) = (self.sender(), self.s.nonce(address));
        self.s.tx(Tx::delegate(from, address, vec![self.signer.authorize(target, nonce)]));
        self.s.set_nonce(address, nonce + 1);
        self.call(address, 1, Default::default());
        self.s.tx(Tx::delegate(address, address, vec![self.signer.authorize(at(COUNTER), nonce + 2)]));
        self.s.set_nonce(address, nonce + 3);
        self.s.tx(Tx::pay(address, at(905), 1));
    }

    /// Calls and payments that go round, and destroy nothing.
    fn calm(&mut self) {
        for n in 0..CALM {
            let (from, to) = (self.s.user(n % 5), self.s.user((n + 2) % 5));
            match n % 4 {
                0 => self.s.tx(Tx::call(from, at(COUNTER))),
                1 => self.s.tx(Tx::call(from, at(BALANCE_LOOKER)).words(&[word(to)])),
                _ => self.s.tx(Tx::pay(from, to, 1 + n)),
            }
        }
    }

    fn block(mut self) -> Scenario {
        for turn in 0..TURNS {
            self.slots(turn);
            self.beneficiary(turn);
            self.lives(turn);
            self.funds(turn);
            self.delegations(turn);
            self.s.spin();
        }
        self.calm();
        self.s
    }
}

/// Everything that a block gave, as one hash.
fn digest(block: &FinishedBlock) -> B256 {
    let changes = block.state_changes();
    let codes: BTreeMap<_, _> = changes.codes.iter().collect();
    keccak256(format!("{:?} {:?} {codes:?} {:?}", block.receipts, changes.accounts, block.summary.requests))
}

/// Executes a block; `every` so many transactions somebody wants to see what changed.
fn execute(s: &Scenario, block: &Block, threads: usize, every: usize, seed: u64) -> (B256, Metrics) {
    let store = SlowStore::new(&s.store, seed, &s.slow);
    let blocks = std::slice::from_ref(block);
    let streamed = stream_watched(&with_executor(threads, 0), blocks, &store, Cut::Never, every, |_| ());
    assert!(streamed.error.is_none(), "{:?}", streamed.error);
    (digest(&streamed.finished[0]), streamed.metrics)
}

/// Executions of each block, unless `TANDEM_TIMES` asks for so many times as many.
const ROUNDS: u64 = 100;

/// Executes a block again and again, with delays in every fourth, with long runs and short ones, on one thread and on several.
fn soak(fork: Fork) {
    let times = std::env::var("TANDEM_TIMES").map_or(1, |times| times.parse().unwrap());
    let rounds = ROUNDS * times;
    let s = Conflicts::new(fork).block();
    s.check().valid();
    let block = s.blocks().remove(0);
    let (expected, _) = execute(&s, &block, 1, NEVER, 0);
    let mut sum = Metrics::default();
    for round in 1..=rounds {
        let seed = if round.is_multiple_of(4) { round } else { 0 };
        let threads = if round.is_multiple_of(8) { 1 } else { THREADS };
        let every = if round.is_multiple_of(3) { 3 } else { NEVER };
        let (found, metrics) = execute(&s, &block, threads, every, seed);
        assert_eq!(found, expected, "in round {round}");
        sum.merge(&metrics);
    }
    println!("{fork:?}: {} transactions, {rounds} rounds, {expected}: {sum:#?}", block.transaction_count());
    assert!(sum.conflicts > rounds && sum.moved > rounds, "too little to conflict about: {sum:#?}");
    assert!(runs_of(16, &sum) > rounds / 8 && runs_of(32, &sum) > rounds / 16, "no long runs: {sum:#?}");
}

#[test]
fn a_block_with_wipes_has_one_result() {
    soak(Fork::Shanghai);
}

#[test]
fn a_block_with_delegations_has_one_result() {
    soak(Fork::Prague);
}
