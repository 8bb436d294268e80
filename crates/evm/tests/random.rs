//! Random blocks over few accounts. `TANDEM_FUZZ_CASES` sets how many sequences of blocks are tried, and
//! `TANDEM_FUZZ_FIRST` which one comes first.
#![allow(clippy::unwrap_used)]

mod common;

use alloy_primitives::map::AddressMap;
use alloy_primitives::{Address, Bytes, U256};
use common::asm::{addr, asm, deploys, slot, word};
use common::contracts::*;
use common::rng::Rng;
use common::{Fork, Scenario, Signer, Tx, apply, assert_same, at, ether};
use revm::bytecode::opcode as op;
use revm::context::result::InvalidTransaction;
use tandem_evm::{ExecutionError, PlainExecutor, StoreRef};
use tandem_state::{MemoryStore, Store};

const FORKS: [Fork; 9] = [
    Fork::Homestead,
    Fork::Tangerine,
    Fork::SpuriousDragon,
    Fork::Istanbul,
    Fork::London,
    Fork::Shanghai,
    Fork::Cancun,
    Fork::Prague,
    Fork::Bpo2,
];

const COUNTER: u64 = 1;
const TOKEN: u64 = 2;
const POT: u64 = 3;
const INTERPRETER: u64 = 4;
const OTHER_INTERPRETER: u64 = 5;
const FACTORY2: u64 = 6;
const FACTORY: u64 = 7;
const FORWARDER: u64 = 8;
const COPIER: u64 = 9;
const LOOKERS: [(u64, u8); 3] = [(10, op::BALANCE), (11, op::EXTCODEHASH), (12, op::EXTCODESIZE)];
const SPENDER: u64 = 13;

struct Fuzz {
    rng: Rng,
    s: Scenario,
    users: Vec<Address>,
    signers: Vec<Signer>,
    hot: Vec<Address>,
    /// The state before the next block.
    state: MemoryStore,
}

impl Fuzz {
    fn new(seed: u64) -> Self {
        let mut rng = Rng(seed);
        let fork = *rng.pick(&FORKS);
        let mut s = Scenario::new(fork);
        let contracts = [
            (COUNTER, counter()),
            (TOKEN, token()),
            (POT, mortal()),
            (INTERPRETER, interpreter()),
            (OTHER_INTERPRETER, interpreter()),
            (FACTORY, factory(&interpreter())),
            (FORWARDER, forwarder()),
            (COPIER, copier()),
            (SPENDER, spender()),
        ];
        for (n, code) in contracts {
            let balance = rng.below(3) * rng.below(50);
            s.contract(at(n), &code, balance);
        }
        for (n, opcode) in LOOKERS {
            s.contract(at(n), &looker(opcode), 0);
        }
        if fork >= Fork::Istanbul {
            s.contract(at(FACTORY2), &factory2(&mortal()), 0);
        }
        let signers: Vec<_> = (0..3).map(Signer::new).collect();
        let mut users: Vec<_> = (0..6).map(|n| at(0x2000 + n)).collect();
        users.extend(signers.iter().map(|signer| signer.address));
        for (n, user) in users.iter().enumerate() {
            let rich = n < 4 || rng.chance(50);
            let balance = if rich { ether(1) } else { U256::from(rng.below(40_000_000)) };
            if rich || rng.chance(60) {
                s.fund(*user, balance);
            }
        }
        for user in &users {
            s.store.set_storage(at(TOKEN), word(*user), U256::from(rng.below(100)));
        }
        let mut hot: Vec<_> = (1..=SPENDER).map(at).collect();
        hot.extend(&users);
        hot.extend((900..904).map(at));
        hot.extend((0..3).map(|salt| address2(at(FACTORY2), salt, &mortal())));
        hot.extend((1..4).map(|nonce| at(FACTORY).create(nonce)));
        hot.extend([Address::with_last_byte(3), Address::with_last_byte(4)]);
        if rng.chance(30) {
            s.fund(at(900), 0);
        }
        hot.push(s.header().beneficiary);
        for _ in 0..rng.below(4) {
            let address = *rng.pick(&hot);
            s.slow.push(address);
        }
        let state = s.store.clone();
        Self { rng, s, users, signers, hot, state }
    }

    fn value(&mut self) -> u64 {
        match self.rng.below(6) {
            0 | 1 => 0,
            2 | 3 => self.rng.below(4),
            4 => self.rng.below(60),
            _ => self.rng.below(1_000_000),
        }
    }

    fn target(&mut self) -> Address {
        *self.rng.pick(&self.hot)
    }

    fn steps(&mut self, depth: u64) -> Bytes {
        let mut steps = Vec::new();
        for _ in 0..1 + self.rng.below(3) {
            let (to, value) = (self.target(), U256::from(self.value() % 40));
            steps.push(match self.rng.below(8) {
                0 | 1 => Do::Call(to, value, Bytes::new()),
                2 => Do::Call(at(POT), value, self.words(1)),
                3 | 4 if depth > 0 => {
                    let inner = self.steps(depth - 1);
                    let target = if self.rng.chance(50) { at(INTERPRETER) } else { at(OTHER_INTERPRETER) };
                    Do::Call(target, value, inner)
                }
                5 => {
                    let (number, _) = *self.rng.pick(&LOOKERS);
                    Do::Call(at(number), U256::ZERO, self.words(1))
                }
                _ => Do::Call(to, value, self.words(2)),
            });
        }
        match self.rng.below(10) {
            0 => steps.push(Do::Revert),
            1 => steps.push(Do::Die(self.target())),
            _ => {}
        }
        script(steps)
    }

    fn words(&mut self, count: usize) -> Bytes {
        let mut all = vec![word(self.target())];
        all.extend((1..count).map(|_| U256::from(self.rng.below(20))));
        common::asm::words(&all)
    }

    fn tx(&mut self) -> Tx {
        let from = *self.rng.pick(&self.users);
        let (value, fork) = (self.value(), self.s.fork);
        let mut tx = match self.rng.below(14) {
            0 | 1 => {
                let to = self.target();
                Tx::call(from, to).value(value)
            }
            2 => Tx::call(from, at(COUNTER)),
            3 => {
                let input = self.words(2);
                Tx::call(from, at(TOKEN)).input(input)
            }
            4 => {
                let input = self.words(1);
                Tx::call(from, at(POT)).input(input)
            }
            5 => Tx::call(from, at(POT)).value(value),
            6 | 7 => {
                let input = self.steps(2);
                Tx::call(from, at(INTERPRETER)).input(input).value(value).gas(900_000)
            }
            8 => {
                let (factory, salt) = (*self.rng.pick(&[FACTORY, FACTORY2]), self.rng.below(3));
                Tx::call(from, at(factory)).words(&[U256::from(salt)]).value(value)
            }
            9 => {
                let (to, amount) = (self.target(), self.rng.below(60));
                Tx::call(from, at(FORWARDER)).words(&[word(to), U256::from(amount)])
            }
            10 => {
                let (number, _) = *self.rng.pick(&LOOKERS);
                let input = self.words(1);
                Tx::call(from, at(number)).input(input)
            }
            11 => {
                let [from_slot, to_slot] = [self.rng.below(3), self.rng.below(3)].map(U256::from);
                Tx::call(from, at(COPIER)).words(&[from_slot, to_slot])
            }
            12 => {
                let input = self.words(1);
                Tx::call(from, at(SPENDER)).input(input).value(value)
            }
            _ => {
                let init = match self.rng.below(3) {
                    0 => deploys(&counter()),
                    1 => asm().add_to(0, slot(0)).selfdestruct(addr(self.target())).build(),
                    _ => asm().revert().build(),
                };
                Tx::create(from, init).value(value)
            }
        };
        if self.rng.chance(5) {
            tx.gas = 53_000 + self.rng.below(80_000) + 200 * tx.input.len() as u64;
        }
        if fork >= Fork::Prague && self.rng.chance(20) && tx.to.to().is_some() {
            tx.ty = 4;
            tx.gas += 200_000;
            for _ in 0..1 + self.rng.below(2) {
                let signer = self.rng.pick(&self.signers).clone();
                let target = match self.rng.below(4) {
                    0 => Address::ZERO,
                    1 => at(COUNTER),
                    2 => at(INTERPRETER),
                    _ => at(POT),
                };
                let expected = self.s.nonce(signer.address) + u64::from(signer.address == from);
                let nonce = if self.rng.chance(80) { expected } else { self.rng.below(4) };
                tx.authorizations.push(signer.authorize(target, nonce));
            }
        }
        if fork < Fork::London && self.rng.chance(5) {
            tx.price = 0;
        }
        let types = match fork {
            _ if tx.ty == 4 => 4..5,
            _ if fork < Fork::Berlin => 0..1,
            Fork::Berlin => 0..2,
            _ if fork < Fork::Cancun || tx.to.to().is_none() => 0..3,
            _ => 0..4,
        };
        tx.ty = types.start + self.rng.below(u64::from(types.end - types.start)) as u8;
        tx
    }

    /// The transactions, without those that are not valid where they stand; now and then one is left.
    fn valid(&mut self, mut transactions: Vec<Tx>) -> Vec<Tx> {
        let mut nonces: AddressMap<u64> = AddressMap::default();
        for tx in &mut transactions {
            let known = self.state.account(tx.from).unwrap().unwrap_or_default().nonce;
            let nonce = nonces.entry(tx.from).or_insert(known);
            tx.nonce = Some(*nonce);
            *nonce += 1;
        }
        loop {
            let mut trial = self.s.clone();
            transactions.iter().for_each(|tx| trial.tx(tx.clone()));
            let block = trial.blocks().pop().unwrap();
            let store = StoreRef(&self.state);
            let (index, error) = match PlainExecutor::new().execute(&store, &block) {
                Err(ExecutionError::Transaction { index, error, .. }) => (index, error),
                Ok(executed) => {
                    let changes = executed.state_changes(&store).unwrap();
                    apply(&mut self.state, &changes);
                    return transactions;
                }
                Err(error) => panic!("{error}"),
            };
            if self.rng.chance(1) {
                return transactions;
            }
            match error {
                InvalidTransaction::NonceTooHigh { state, .. }
                | InvalidTransaction::NonceTooLow { state, .. } => {
                    let from = transactions[index].from;
                    let later = transactions[index..].iter_mut().filter(|tx| tx.from == from);
                    later.zip(state..).for_each(|(tx, nonce)| tx.nonce = Some(nonce));
                }
                _ => drop(transactions.remove(index)),
            }
        }
    }

    fn block(&mut self) {
        self.s.header().gas_limit = 200_000_000;
        let fork = self.s.fork;
        if self.rng.chance(30) {
            self.s.header().beneficiary = self.target();
        }
        for _ in 0..self.rng.below(3) {
            let (address, amount) = (self.target(), self.rng.below(3));
            if fork >= Fork::Shanghai {
                self.s.withdraw(address, amount);
            } else if fork < Fork::Paris {
                self.s.ommer(1 + amount, address);
            }
        }
        let count = 20 + self.rng.below(41);
        let drafts: Vec<_> = (0..count).map(|_| self.tx()).collect();
        for (n, tx) in self.valid(drafts).into_iter().enumerate() {
            self.s.tx(tx);
            if n == 3 && self.rng.chance(30) {
                self.s.spin();
            }
        }
    }
}

/// Tries one sequence of blocks. Returns how many transactions it has.
fn try_case(case: u64) -> usize {
    let mut fuzz = Fuzz::new(case);
    for _ in 0..1 + fuzz.rng.below(4) {
        fuzz.block();
        fuzz.s.next_block();
    }
    let blocks = fuzz.s.blocks();
    assert_same(&blocks, &fuzz.s.store, &fuzz.s.slow, 2 * case..2 * case + 2);
    blocks.iter().map(tandem_evm::Block::transaction_count).sum()
}

#[test]
fn random_blocks_give_what_plain_execution_gives() {
    let variable = std::env::var("TANDEM_FUZZ_CASES");
    let cases = variable.ok().map_or(300, |cases| cases.parse().unwrap());
    let first = std::env::var("TANDEM_FUZZ_FIRST").ok().map_or(0, |first| first.parse().unwrap());
    let mut transactions = 0;
    for case in first..first + cases {
        let tried = std::panic::catch_unwind(|| try_case(case));
        transactions += tried.unwrap_or_else(|panic| {
            eprintln!("in case {case}");
            std::panic::resume_unwind(panic)
        });
    }
    println!("{transactions} transactions in {cases} cases");
}
