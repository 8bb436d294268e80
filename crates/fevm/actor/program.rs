//! A contract's program: its parameters are a list of operations.

use alloc::vec::Vec;

use crate::cbor::{Reader, little};
use crate::contract::{self, Contract};
use crate::kamt::Key;
use crate::sys::{self, Context, fail};
use crate::{Counts, create};

/// Runs a program; gives the output of its operations.
pub(crate) fn run(counts: &mut Counts, context: &Context, program: &[u8]) -> Vec<u8> {
    let mut run = Run {
        counts,
        receiver: context.receiver,
        code: Reader(program),
        contract: Contract::default(),
        output: Vec::new(),
    };
    while !run.code.0.is_empty() {
        match run.code.byte() {
            0 => break,
            operation => run.step(operation),
        }
    }
    run.contract.save();
    run.output
}

struct Run<'a> {
    counts: &'a mut Counts,
    receiver: u64,
    code: Reader<'a>,
    contract: Contract,
    output: Vec<u8>,
}

impl Run<'_> {
    fn number(&mut self) -> u64 {
        little(self.code.take(8))
    }

    fn key(&mut self) -> Key {
        self.code.take(32).try_into().unwrap_or_else(|_| fail(48))
    }

    fn append(&mut self, number: u64) {
        self.output.extend(number.to_le_bytes());
    }

    fn append_both(&mut self, (error, number): (u32, u64)) {
        self.append(u64::from(error));
        self.append(number);
    }

    fn step(&mut self, operation: u8) {
        match operation {
            1 => {
                let (key, delta) = (self.key(), self.number() as i64);
                match (self.contract.get(&key) as i64).wrapping_add(delta) {
                    sum @ 0.. => self.contract.set(&key, sum as u64, self.counts),
                    _ => fail(34),
                }
            }
            2 => {
                let (key, value) = (self.key(), self.number());
                self.contract.set(&key, value, self.counts);
            }
            3 => {
                let key = self.key();
                let value = self.contract.get(&key);
                self.append(value);
            }
            4 => {
                let mut sink = 0_u64;
                for round in 0..self.number() {
                    sink = core::hint::black_box((sink ^ round).wrapping_mul(0x9e37_79b9_7f4a_7c15));
                }
            }
            5 => self.call(),
            6 => self.append(sys::own_balance()),
            7 => {
                let id = self.number();
                self.append_both(sys::balance_of(id));
            }
            8 => {
                let size = usize::from(self.code.byte());
                sys::event(self.code.take(size));
            }
            9 => core::arch::wasm32::unreachable(),
            10 => fail(self.number() as u32),
            11 => {
                let size = usize::from(self.code.byte());
                let meaning = sys::resolve(self.code.take(size));
                self.append_both(meaning);
            }
            12 => {
                let id = self.number();
                self.append_both(sys::code_of(id));
            }
            13 => {
                let id = self.number();
                self.append_both(sys::delegated_of(id));
            }
            14 => {
                let code = self.code.take(38);
                let id = self.number();
                self.append(u64::from(sys::create_actor(id, code, &[])));
            }
            15 => {
                contract::construct();
                self.contract.forget();
            }
            16 => sys::destruct(),
            17 => {
                let nonce = self.code.byte();
                self.contract.set_nonce(u64::from(nonce));
            }
            18 => {
                let nonce = self.contract.nonce();
                self.append(nonce);
            }
            19 => self.create(),
            _ => fail(47),
        }
    }

    /// Calls an actor; appends error number, exit code and result.
    fn call(&mut self) {
        let read_only = self.code.byte() != 0;
        let size = usize::from(self.code.byte());
        let to = self.code.take(size);
        let (method, value, gas) = (self.number(), self.number(), self.number());
        let size = self.number() as usize;
        let params = self.code.take(size);
        let called = self.contract.around(self.counts, |counts| {
            let mut called = sys::send(to, method, params, value, gas, read_only);
            if called.ok() {
                counts.calls += 1;
                called.result = counts.add(&called.result);
            }
            called
        });
        self.append(u64::from(called.error));
        self.append(u64::from(called.exit));
        self.output.extend(called.result);
    }

    /// Creates a contract, at an address that follows from this one's ID and nonce; appends error number, exit code and its ID.
    fn create(&mut self) {
        let value = self.number();
        let size = self.number() as usize;
        let program = self.code.take(size);
        let nonce = self.contract.nonce();
        self.contract.set_nonce(nonce + 1);
        let receiver = self.receiver;
        let called =
            self.contract.around(self.counts, |counts| create::ask(counts, receiver, nonce, program, value));
        self.append(u64::from(called.error));
        self.append(u64::from(called.exit));
        self.output.extend(called.result);
    }
}
