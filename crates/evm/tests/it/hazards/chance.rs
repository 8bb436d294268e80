//! Whatever else there may be: three random transactions over a few accounts, in every order.

use crate::common::asm::{word, words};
use crate::common::contracts::*;
use crate::common::rng::Rng;
use crate::common::{Fork, Scenario, Signer, Tx, at, ether};
use alloy_primitives::{Address, Bytes, U256};
use revm::bytecode::opcode as op;

const FORKS: [Fork; 7] = [
    Fork::Homestead,
    Fork::SpuriousDragon,
    Fork::Petersburg,
    Fork::London,
    Fork::Shanghai,
    Fork::Cancun,
    Fork::Prague,
];

struct Chance {
    rng: Rng,
    s: Scenario,
    hot: Vec<Address>,
    signers: [Signer; 2],
}

impl Chance {
    fn new(seed: u64) -> Self {
        let mut rng = Rng(seed);
        let mut s = Scenario::new(*rng.pick(&FORKS));
        let mut contracts = vec![
            counter(),
            mortal(),
            interpreter(),
            interpreter(),
            factory(&mortal()),
            looker(op::BALANCE),
            looker(op::EXTCODESIZE),
            spender(),
        ];
        if s.fork >= Fork::Petersburg {
            contracts.extend([looker(op::EXTCODEHASH), factory2(&mortal()), factory2(&[])]);
        }
        let count = contracts.len() as u64;
        for (n, code) in (1..).zip(contracts) {
            s.contract(at(n), &code, rng.below(3) * rng.below(20));
        }
        let mut hot: Vec<_> = (1..=count).chain(900..902).map(at).collect();
        hot.extend((0..2).flat_map(|salt| {
            [address2(at(10), salt, &mortal()), address2(at(11), salt, &[]), at(5).create(salt + 1)]
        }));
        let beneficiary = s.header().beneficiary;
        hot.extend([beneficiary, Address::with_last_byte(3)]);
        let signers = [Signer::new(1), Signer::new(2)];
        hot.extend(signers.each_ref().map(|signer| signer.address));
        for address in [at(900), beneficiary, signers[0].address, Address::with_last_byte(3)] {
            if rng.chance(40) {
                s.fund(address, rng.below(2) * 7);
            }
        }
        Self { rng, s, hot, signers }
    }

    fn target(&mut self) -> Address {
        *self.rng.pick(&self.hot)
    }

    fn input(&mut self) -> Bytes {
        match self.rng.below(3) {
            0 => Bytes::new(),
            1 => words(&[word(self.target())]),
            _ => words(&[U256::from(self.rng.below(2))]),
        }
    }

    fn steps(&mut self, depth: u64) -> Vec<Do> {
        let mut steps = Vec::new();
        for _ in 0..1 + self.rng.below(3) {
            let (to, value) = (self.target(), U256::from(self.rng.below(2) * self.rng.below(12)));
            steps.push(if depth > 0 && self.rng.chance(35) {
                let inner = self.steps(depth - 1);
                Do::Call(at(3 + self.rng.below(2)), value, script(inner))
            } else {
                Do::Call(to, value, self.input())
            });
        }
        match self.rng.below(12) {
            0 => steps.push(Do::Revert),
            1 => steps.push(Do::Die(self.target())),
            _ => {}
        }
        steps
    }

    fn act(&mut self) {
        let steps = self.steps(2);
        let mut authorizations = Vec::new();
        if self.s.fork >= Fork::Prague && self.rng.chance(60) {
            for _ in 0..1 + self.rng.below(2) {
                let target = if self.rng.chance(30) { Address::ZERO } else { at(1 + self.rng.below(8)) };
                let (signer, nonce) = (self.rng.below(2) as usize, self.rng.below(3));
                authorizations.push(self.signers[signer].authorize(target, nonce));
            }
        }
        let ty = if authorizations.is_empty() { 0 } else { 4 };
        self.s.act_with(steps, |tx| Tx { ty, authorizations, ..tx });
    }
}

/// Tries three random acts, some of them in a block of their own, in every order.
fn try_case(case: u64) -> u64 {
    let mut chance = Chance::new(case);
    if chance.rng.chance(20) {
        let heir = chance.target();
        chance.s.header().beneficiary = heir;
    }
    for _ in 0..3 {
        chance.act();
        if chance.rng.chance(15) {
            chance.s.next_block();
        }
    }
    // There is plenty for what senders pay, so that every transaction is valid.
    (0..3).for_each(|n| chance.s.fund(Scenario::act_sender(n), ether(2)));
    let runs = chance.s.check_orders().valid();
    runs.forced.iter().map(|run| run.metrics.conflicts).sum()
}

#[test]
fn three_random_transactions_give_the_same_in_every_order() {
    let variable = std::env::var("TANDEM_ORDER_CASES");
    let cases = variable.ok().map_or(15, |cases| cases.parse().unwrap());
    let mut conflicts = 0;
    for case in 0..cases {
        let tried = std::panic::catch_unwind(|| try_case(case));
        conflicts += tried.unwrap_or_else(|panic| {
            eprintln!("in case {case}");
            std::panic::resume_unwind(panic)
        });
    }
    println!("{conflicts} conflicts in {cases} cases");
    assert!(conflicts > cases);
}
