//! Random transactions.

use super::cast::*;
use super::{Generator, SIGNERS};
use crate::common::asm::{asm, deploys, slot, word, words};
use crate::common::contracts::*;
use crate::common::{Fork, Tx, at};
use crate::fuzz::bytecode::argument;
use crate::fuzz::case::CaseBlock;
use alloy_eips::eip2930::{AccessList, AccessListItem};
use alloy_eips::{eip7002, eip7251};
use alloy_primitives::{Address, B256, Bytes, U256};
use tandem_state::Store;

impl Generator {
    pub(super) fn transaction(&mut self, block: &CaseBlock) -> Tx {
        let mut from = *self.rng.pick(&self.users);
        if self.rng.chance(3) && self.users.contains(&block.beneficiary) {
            from = block.beneficiary;
        }
        let mut tx = self.plan(from, block);
        let intrinsic = 53_000 + 200 * tx.input.len() as u64;
        match self.rng.below(24) {
            0 => tx.gas = intrinsic + self.rng.below(80_000),
            1 => tx.gas = intrinsic - 32_000 + self.rng.below(20_000),
            _ => {}
        }
        self.choose_type(&mut tx);
        if self.rng.chance(30) {
            tx.price = 9 + u128::from(self.rng.below(6));
            tx.tip = u128::from(self.rng.below(5));
        }
        if self.fork < Fork::London && self.rng.chance(5) {
            tx.price = 0;
        }
        tx
    }

    fn plan(&mut self, from: Address, block: &CaseBlock) -> Tx {
        let value = self.value();
        self.planned += 1;
        match self.rng.below(40) {
            0 | 1 => {
                let to = self.target();
                Tx::call(from, to).value(value)
            }
            2 => self.send_all(from),
            3 => Tx::call(from, at(COUNTER)),
            4 => Tx::call(from, at(TOKEN)).input(self.words(2)),
            5 | 30 => Tx::call(from, at(POT)).input(self.words(1)),
            6 | 31 => Tx::call(from, at(POT)).value(1 + value),
            32 => {
                let to = self.rng.pick(&SIGNERS).address;
                Tx::call(from, to).input(self.words(2)).value(value)
            }
            7..=9 => {
                let input = self.steps(2);
                Tx::call(from, at(INTERPRETER)).input(input).value(value).gas(900_000)
            }
            10..=12 => {
                let factory = if self.has_create2() { *self.rng.pick(&FACTORIES) } else { FACTORY };
                let salt = U256::from(self.rng.below(SALTS));
                Tx::call(from, at(factory)).words(&[salt]).value(value)
            }
            13 => {
                let (to, amount) = (self.target(), self.rng.below(60));
                Tx::call(from, at(FORWARDER)).words(&[word(to), U256::from(amount)])
            }
            14 => {
                let (number, _) = *self.rng.pick(&LOOKERS);
                let input =
                    if self.rng.chance(40) { words(&[word(block.beneficiary)]) } else { self.words(1) };
                Tx::call(from, at(number)).input(input)
            }
            15 => {
                let [from_slot, to_slot] = [self.rng.below(3), self.rng.below(3)].map(U256::from);
                Tx::call(from, at(COPIER)).words(&[from_slot, to_slot])
            }
            16 => Tx::call(from, at(SPENDER)).input(self.words(1)).value(value),
            17 => self.creation(from).value(value),
            18 => {
                let (number, _) = *self.rng.pick(&RELAYS);
                let (to, rest) = self.precompile();
                let input = [words(&[to]).as_ref(), &rest].concat();
                Tx::call(from, at(number)).input(input)
            }
            19 => {
                let (number, _) = *self.rng.pick(&RELAYS);
                let input = self.words(3);
                Tx::call(from, at(number)).input(input).value(value)
            }
            20..=22 => self.vault(from, value),
            23 => Tx::call(from, at(TIPPER)).value(value),
            24 if self.rng.chance(60) => {
                let slot = U256::from(self.rng.below(3));
                Tx::call(from, at(RESTORER)).words(&[slot])
            }
            24 if self.rng.chance(50) => {
                let (to, input) = self.precompile();
                let to = Address::from_word(to.into());
                Tx::call(from, to).input(input).value(value)
            }
            24 => self.request(from),
            25..=28 => self.newcomer(from, value),
            33..=35 => Tx::call(from, at(DAWDLER)).value(value),
            36 => self.deposit(from),
            29 => Tx::call(from, at(TELLER)).input(self.words(1)).value(value),
            _ => {
                let to = *self.rng.pick(&self.programs);
                let count = self.rng.below(4) as usize;
                let gas = 60_000 + self.rng.below(240_000);
                Tx::call(from, to).input(self.words(count)).value(value).gas(gas)
            }
        }
    }

    fn words(&mut self, count: usize) -> Bytes {
        let first = word(self.target());
        let rest = (1..count).map(|_| U256::from(self.rng.below(20)));
        let all: Vec<_> = std::iter::once(first).chain(rest).take(count).collect();
        words(&all)
    }

    /// Sends all that the sender has, or almost all.
    fn send_all(&mut self, from: Address) -> Tx {
        let to = self.target();
        let mut tx = Tx::call(from, to).gas(21_000);
        let balance = self.settler.state.account(from).unwrap().unwrap_or_default().balance;
        let left = balance.saturating_sub(tx.cost()).saturating_sub(U256::from(self.rng.below(2)));
        // A rich sender stays rich, mostly, or there would soon be none.
        tx.value = if left < U256::from(1_000_000_000) || self.rng.chance(20) { left } else { U256::ONE };
        tx
    }

    /// A script for an interpreter.
    fn steps(&mut self, depth: u64) -> Bytes {
        let mut steps = Vec::new();
        if self.rng.chance(30) {
            steps.push(Do::Call(at(DAWDLER), U256::ZERO, Bytes::new()));
        }
        for _ in 0..1 + self.rng.below(3) {
            let (to, value) = (self.target(), U256::from(self.value() % 40));
            let step = match self.rng.below(10) {
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
                6 if self.has_create2() => {
                    // Destroyed and created again in one transaction.
                    let (factory, child) = (*self.rng.pick(&FACTORIES), self.words(1));
                    let salt = U256::from(self.rng.below(SALTS));
                    steps.push(Do::Call(self.child(factory, salt), U256::ZERO, child));
                    Do::Call(at(factory), value, words(&[salt]))
                }
                7 => {
                    let (to, input) = self.precompile();
                    Do::Call(Address::from_word(to.into()), U256::ZERO, input)
                }
                _ => Do::Call(to, value, self.words(2)),
            };
            steps.push(step);
        }
        match self.rng.below(10) {
            0 => steps.push(Do::Revert),
            1 => steps.push(Do::Die(self.target())),
            _ => {}
        }
        script(steps)
    }

    /// Where a factory deploys with this salt.
    fn child(&self, factory: u64, salt: U256) -> Address {
        let runtime = &self.children[usize::from(factory == VAULT_FACTORY)];
        address2(at(factory), salt.to(), runtime)
    }

    /// Does something to a contract that comes and goes.
    fn vault(&mut self, from: Address, value: u64) -> Tx {
        let salt = U256::from(self.rng.below(SALTS));
        let to = self.child(VAULT_FACTORY, salt);
        match self.rng.below(8) {
            0..=2 => Tx::call(from, to).input(self.words(1)),
            3 => Tx::call(from, to).value(value),
            _ => {
                let [slot, amount] = [self.rng.below(2), self.rng.below(3)].map(U256::from);
                Tx::call(from, to).words(&[slot, amount])
            }
        }
    }

    /// Pays or looks at somebody who is new, or was a moment ago: much depends on whether an account is empty.
    fn newcomer(&mut self, from: Address, value: u64) -> Tx {
        let new = Self::nobody(10 + self.planned / 16);
        let amount = U256::from(value % 3);
        match self.rng.below(6) {
            0 | 1 => Tx::call(from, new).value(amount),
            2 | 3 => Tx::call(from, at(FORWARDER)).words(&[word(new), amount]),
            4 => Tx::call(from, at(POT)).words(&[word(new)]),
            _ => {
                let (number, _) = *self.rng.pick(&LOOKERS);
                Tx::call(from, at(number)).words(&[word(new)])
            }
        }
    }

    /// Destroys a contract, creates it again and goes on using it.
    pub(super) fn cycle(&mut self) -> Vec<Tx> {
        let salt = U256::from(self.rng.below(SALTS));
        let vault = self.child(VAULT_FACTORY, salt);
        let users = [(); 4].map(|()| *self.rng.pick(&self.users));
        let slot = U256::from(self.rng.below(2));
        vec![
            Tx::call(users[0], vault).input(self.words(1)),
            Tx::call(users[1], at(VAULT_FACTORY)).words(&[salt]),
            Tx::call(users[2], vault).words(&[slot, U256::ONE]),
            Tx::call(users[3], vault).words(&[slot, U256::ONE]),
        ]
    }

    fn creation(&mut self, from: Address) -> Tx {
        let init = match self.rng.below(5) {
            0 => deploys(&counter()).into(),
            1 => {
                let target = crate::common::asm::addr(self.target());
                asm().add_to(0, slot(0)).selfdestruct(target).build().into()
            }
            2 => asm().revert().build().into(),
            _ => self.init(),
        };
        Tx::create(from, init)
    }

    /// A precompile, or where one will be, and an input that it may like.
    fn precompile(&mut self) -> (U256, Bytes) {
        let number = if self.rng.chance(5) { 0x100 } else { 1 + self.rng.below(0x11) };
        let filled = |length: usize, byte: u8| vec![byte; length];
        let some = self.rng.next() as u8;
        let input = match number {
            5 => [words(&[U256::ONE; 3]).as_ref(), &[some, 3, 7]].concat(),
            6 => filled(128, 0),
            7 => filled(96, 0),
            8 => filled(0, 0),
            9 => [&[0, 0, 0, 2][..], &filled(208, some), &[some & 1]].concat(),
            0xb => filled(256, 0),
            0xc => filled(160, 0),
            0xd => filled(512, 0),
            _ => filled(self.rng.below(130) as usize, some),
        };
        let input = if self.rng.chance(15) { filled(self.rng.below(200) as usize, some) } else { input };
        (U256::from(number), input.into())
    }

    /// Asks the consensus layer for something (EIP-7002, EIP-7251).
    fn request(&mut self, from: Address) -> Tx {
        let some = self.rng.next() as u8;
        let (to, length) = match self.rng.below(2) {
            0 => (eip7002::WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS, 56),
            _ => (eip7251::CONSOLIDATION_REQUEST_PREDEPLOY_ADDRESS, 96),
        };
        let length = if self.rng.chance(80) { length } else { 0 };
        Tx::call(from, to).input(vec![some; length]).value(1 + self.rng.below(3))
    }

    fn choose_type(&mut self, tx: &mut Tx) {
        let creates = tx.to.is_create();
        if self.fork >= Fork::Prague && self.rng.chance(25) && !creates {
            self.delegate(tx);
        } else {
            let types = match self.fork {
                fork if fork < Fork::Berlin => 1,
                Fork::Berlin => 2,
                fork if fork < Fork::Cancun || creates => 3,
                _ => 4,
            };
            tx.ty = self.rng.below(types) as u8;
        }
        if tx.ty == 3 {
            tx.blobs = 1 + self.rng.below(3) as usize;
            tx.blob_price = u128::from(1 + self.rng.below(12));
        }
        if tx.ty >= 1 && self.rng.chance(60) {
            let count = 1 + self.rng.below(3);
            tx.access_list = AccessList((0..count).map(|_| self.accessed()).collect());
            tx.gas += 3_000 * count + 6_000;
        }
    }

    fn accessed(&mut self) -> AccessListItem {
        let count = self.rng.below(3);
        let storage_keys = (0..count).map(|_| {
            let slot = if self.rng.chance(70) {
                U256::from(self.rng.below(4))
            } else {
                argument(&mut self.rng, &self.hot)
            };
            B256::from(slot)
        });
        let storage_keys = storage_keys.collect();
        AccessListItem { address: *self.rng.pick(&self.hot), storage_keys }
    }

    /// Makes it a transaction that sets, changes and clears delegations.
    fn delegate(&mut self, tx: &mut Tx) {
        tx.ty = 4;
        tx.gas += 200_000;
        for _ in 0..1 + self.rng.below(2) {
            let signer = self.rng.pick(&SIGNERS).clone();
            let target = match self.rng.below(8) {
                0 | 1 => Address::ZERO,
                2 => at(COUNTER),
                3 => at(INTERPRETER),
                4 => at(POT),
                5 => *self.rng.pick(&self.programs),
                6 => self.child(VAULT_FACTORY, U256::ZERO),
                _ => self.target(),
            };
            let known = self.settler.state.account(signer.address).unwrap().unwrap_or_default().nonce;
            let authorized = self.authorized.entry(signer.address).or_default();
            let expected = known + *authorized + u64::from(signer.address == tx.from);
            let nonce = if self.rng.chance(85) {
                *authorized += 1;
                expected
            } else {
                self.rng.below(4)
            };
            tx.authorizations.push(signer.authorize(target, nonce));
        }
    }
}
