//! Random bytecode: programs that keep track of their stack, and plain random bytes.

use crate::common::Fork;
use crate::common::asm::{Asm, addr, asm, deploys, half_the_gas, num};
use crate::common::contracts::linger;
use crate::common::rng::Rng;
use alloy_primitives::{Address, U256};
use revm::bytecode::opcode as op;

/// Deeper than this the stack does not grow, but for the operands of one instruction.
const DEEPEST: usize = 12;
const NESTING: usize = 2;

const ARITHMETIC: &[u8] =
    &[op::ADD, op::SUB, op::MUL, op::DIV, op::MOD, op::LT, op::GT, op::EQ, op::AND, op::OR, op::XOR, op::EXP];
const SAYS: &[(u8, Fork)] = &[
    (op::ADDRESS, Fork::Frontier),
    (op::CALLER, Fork::Frontier),
    (op::ORIGIN, Fork::Frontier),
    (op::CALLVALUE, Fork::Frontier),
    (op::CALLDATASIZE, Fork::Frontier),
    (op::GASPRICE, Fork::Frontier),
    (op::COINBASE, Fork::Frontier),
    (op::TIMESTAMP, Fork::Frontier),
    (op::NUMBER, Fork::Frontier),
    (op::DIFFICULTY, Fork::Frontier),
    (op::GASLIMIT, Fork::Frontier),
    (op::GAS, Fork::Frontier),
    (op::PC, Fork::Frontier),
    (op::MSIZE, Fork::Frontier),
    (op::RETURNDATASIZE, Fork::Byzantium),
    (op::CHAINID, Fork::Istanbul),
    (op::SELFBALANCE, Fork::Istanbul),
    (op::SELFBALANCE, Fork::Istanbul),
    (op::BASEFEE, Fork::London),
    (op::BLOBBASEFEE, Fork::Cancun),
];
const ASKS: &[(u8, Fork)] =
    &[(op::BALANCE, Fork::Frontier), (op::EXTCODESIZE, Fork::Frontier), (op::EXTCODEHASH, Fork::Petersburg)];
const CALLS: &[(u8, Fork)] = &[
    (op::CALL, Fork::Frontier),
    (op::CALL, Fork::Frontier),
    (op::CALLCODE, Fork::Frontier),
    (op::DELEGATECALL, Fork::Homestead),
    (op::STATICCALL, Fork::Byzantium),
];

/// Writes random programs for a fork, about some addresses.
pub(crate) struct Programmer<'a> {
    pub(crate) rng: &'a mut Rng,
    pub(crate) fork: Fork,
    pub(crate) hot: &'a [Address],
}

impl Programmer<'_> {
    /// A contract's code.
    pub(crate) fn runtime(&mut self) -> Vec<u8> {
        match self.rng.below(100) {
            0..=3 => self.designator(),
            4..=22 => self.bytes(),
            _ => self.program(),
        }
    }

    /// What is a delegation from Prague on (EIP-7702), or only looks like one.
    fn designator(&mut self) -> Vec<u8> {
        let version = if self.rng.chance(80) { 0 } else { self.rng.below(3) as u8 };
        let mut code = [&[0xef, 0x01, version], self.rng.pick(self.hot).as_slice()].concat();
        match self.rng.below(4) {
            0 => code.truncate(2 + self.rng.below(21) as usize),
            1 => code.push(0),
            _ => {}
        }
        code
    }

    /// Code for a creation to run.
    pub(crate) fn init(&mut self) -> Vec<u8> {
        match self.rng.below(4) {
            0 => self.bytes(),
            1 => self.program(),
            2 => {
                let runtime = self.runtime();
                deploys(&runtime)
            }
            _ => {
                let runtime = self.runtime();
                let (slot, value) = (self.rng.below(4), self.rng.below(9));
                crate::common::asm::runs_and_deploys(asm().sstore(num(slot), num(value)), &runtime)
            }
        }
    }

    /// Random bytes, or random instructions without regard to the stack.
    fn bytes(&mut self) -> Vec<u8> {
        let length = 1 + self.rng.below(60);
        if self.rng.chance(50) {
            return (0..length).map(|_| self.rng.next() as u8).collect();
        }
        let mut code = Vec::new();
        for _ in 0..length {
            let opcode = match self.rng.below(10) {
                0..=4 => {
                    code.push(op::PUSH1);
                    self.rng.below(8) as u8
                }
                5 => *self.rng.pick(ARITHMETIC),
                6 => self.rng.pick(SAYS).0,
                7 => op::DUP1 + self.rng.below(4) as u8,
                8 => *self.rng.pick(&[op::SLOAD, op::SSTORE, op::MSTORE, op::JUMPDEST, op::JUMPI, op::POP]),
                _ => self.rng.below(0x60) as u8,
            };
            code.push(opcode);
        }
        code
    }

    fn program(&mut self) -> Vec<u8> {
        let length = 4 + self.rng.below(24) as usize;
        let (code, mut depth) = self.run_of(asm(), 0, length, NESTING);
        let end = match self.rng.below(12) {
            0 => asm().revert(),
            1 => asm().op(op::INVALID),
            2 => asm().selfdestruct(self.address()),
            3..=5 => num(self.rng.below(64)).then(num(0)).op(op::RETURN),
            _ => asm().op(op::STOP),
        };
        let mut code = code;
        if depth > 0 && self.rng.chance(60) {
            // What was computed must be seen somewhere.
            code = code.then(num(self.rng.below(4))).op(op::SSTORE);
            depth -= 1;
        }
        debug_assert!(depth <= DEEPEST + 8);
        code.then(end).build()
    }

    fn available(&mut self, opcodes: &[(u8, Fork)]) -> u8 {
        loop {
            let (opcode, since) = *self.rng.pick(opcodes);
            if since <= self.fork || self.rng.chance(1) {
                return opcode;
            }
        }
    }

    fn address(&mut self) -> Asm {
        match self.rng.below(12) {
            0 => asm().op(op::CALLER),
            1 => asm().op(op::ADDRESS),
            2 => asm().op(op::COINBASE),
            3 => num(0).op(op::CALLDATALOAD),
            4 => num(1 + self.rng.below(0x11)),
            _ => addr(*self.rng.pick(self.hot)),
        }
    }

    fn value(&mut self) -> Asm {
        match self.rng.below(8) {
            0..=3 => num(0),
            4 => num(1),
            5 => asm().op(op::CALLVALUE),
            _ => num(self.rng.below(40)),
        }
    }

    fn slot(&mut self) -> u64 {
        self.rng.below(4)
    }

    /// A number of statements, and the stack's depth after them.
    fn run_of(&mut self, mut code: Asm, mut depth: usize, length: usize, nesting: usize) -> (Asm, usize) {
        for _ in 0..length {
            let (statement, after) = self.statement(depth, nesting);
            code = code.then(statement);
            depth = after;
        }
        (code, depth)
    }

    fn statement(&mut self, depth: usize, nesting: usize) -> (Asm, usize) {
        let room = depth < DEEPEST;
        match self.rng.below(27) {
            0 | 1 if room => (num(self.rng.below(40)), depth + 1),
            2 if room => (num(self.rng.next()), depth + 1),
            3..=5 if depth >= 2 => (asm().op(*self.rng.pick(ARITHMETIC)), depth - 1),
            6 | 7 if room => (asm().op(self.available(SAYS)), depth + 1),
            8 if self.rng.chance(30) => (linger(), depth),
            8 if room && self.rng.chance(20) => {
                let number = num(self.rng.below(5)).op(op::NUMBER).op(op::SUB);
                (number.op(op::BLOCKHASH), depth + 1)
            }
            8 | 9 if room => (self.address().op(self.available(ASKS)), depth + 1),
            10 | 11 if room => (num(self.slot()).op(op::SLOAD), depth + 1),
            12 if depth >= 1 => (num(self.slot()).op(op::SSTORE), depth - 1),
            13 => (asm().add_to(self.slot(), num(self.rng.below(3))), depth),
            14 => {
                // Changed and changed back, or not changed at all.
                let at = self.slot();
                let old = num(at).op(op::SLOAD);
                let write = if self.rng.chance(50) { old.then(asm().sstore(num(at), num(77))) } else { old };
                (write.then(num(at)).op(op::SSTORE), depth)
            }
            15 if depth >= 1 => (num(32 * self.slot()).op(op::MSTORE), depth - 1),
            16 if room => {
                let (offset, load) = (num(32 * self.slot()), self.rng.chance(50));
                let code = if load { offset.op(op::MLOAD) } else { num(32).then(offset).op(op::KECCAK256) };
                (code, depth + 1)
            }
            17 if room => (num(32 * self.slot()).op(op::CALLDATALOAD), depth + 1),
            18 => (self.copy(), depth),
            19..=21 if room => (self.call(), depth + 1),
            22 if room => (self.creation(), depth + 1),
            23 if depth >= 1 => {
                let opcode = if room && self.rng.chance(60) { op::DUP1 } else { op::SWAP1 };
                let reach = self.rng.below(depth as u64) as u8;
                match (opcode, reach) {
                    (op::DUP1, _) => (asm().op(op::DUP1 + reach), depth + 1),
                    (_, 0) => (asm().op(op::POP), depth - 1),
                    _ => (asm().op(op::SWAP1 + reach - 1), depth),
                }
            }
            24 => self.log(depth),
            25 if nesting > 0 => self.branch(depth, nesting - 1),
            26 if room && self.fork >= Fork::Cancun => {
                let at = num(self.slot());
                if self.rng.chance(50) {
                    (at.op(op::TLOAD), depth + 1)
                } else {
                    (num(self.rng.below(9)).then(at).op(op::TSTORE), depth)
                }
            }
            _ if room => (num(self.rng.below(3)), depth + 1),
            _ => (asm().op(op::POP), depth - 1),
        }
    }

    /// Copies into memory.
    fn copy(&mut self) -> Asm {
        let words = num(self.rng.below(64)).then(num(self.rng.below(64))).then(num(self.rng.below(64)));
        match self.rng.below(4) {
            0 => words.op(op::CALLDATACOPY),
            1 => words.op(op::CODECOPY),
            2 if self.fork >= Fork::Cancun => words.op(op::MCOPY),
            _ => words.then(self.address()).op(op::EXTCODECOPY),
        }
    }

    /// Calls somebody; leaves success on the stack.
    fn call(&mut self) -> Asm {
        let opcode = self.available(CALLS);
        let [result, input] = [self.rng.below(3) * 32, self.rng.below(4) * 32];
        let code = num(result).then(num(0)).then(num(input)).then(num(0));
        let code = if matches!(opcode, op::CALL | op::CALLCODE) { code.then(self.value()) } else { code };
        let gas = if self.rng.chance(80) { half_the_gas() } else { num(self.rng.below(30_000)) };
        code.then(self.address()).then(gas).op(opcode)
    }

    /// Creates a contract; leaves its address on the stack.
    fn creation(&mut self) -> Asm {
        let init = match self.rng.below(4) {
            0 => self.bytes(),
            1 => asm().selfdestruct(self.address()).build(),
            2 => asm().add_to(0, num(5)).then(num(0)).then(num(0)).op(op::RETURN).build(),
            _ => deploys(&asm().selfdestruct(self.address()).build()),
        };
        let value = self.value();
        if self.fork >= Fork::Petersburg && self.rng.chance(60) {
            // Few codes and few salts, so that addresses come again.
            return asm().create2(&init, value, num(self.rng.below(2)));
        }
        asm().create(&init, value)
    }

    fn log(&mut self, depth: usize) -> (Asm, usize) {
        let topics = (depth as u64).min(self.rng.below(5));
        let code = num(32).then(num(0)).op(op::LOG0 + topics as u8);
        (code, depth - topics as usize)
    }

    /// Statements that are executed, or not, with no effect on the stack's depth; now and then an end.
    fn branch(&mut self, depth: usize, nesting: usize) -> (Asm, usize) {
        let condition = match self.rng.below(4) {
            0 => num(self.rng.below(2)),
            1 => num(0).op(op::CALLDATALOAD),
            2 => num(self.slot()).op(op::SLOAD).then(num(2)).op(op::GT),
            _ => self.address().op(op::BALANCE),
        };
        let length = 1 + self.rng.below(5) as usize;
        let (mut body, mut after) = self.run_of(asm(), 0, length, nesting);
        if self.rng.chance(25) {
            body = if self.rng.chance(50) { body.selfdestruct(self.address()) } else { body.revert() };
        }
        while after > 0 {
            body = body.op(op::POP);
            after -= 1;
        }
        (asm().skip_if(condition, body), depth)
    }
}

/// A word that is an address, mostly.
pub(crate) fn argument(rng: &mut Rng, hot: &[Address]) -> U256 {
    if rng.chance(70) { crate::common::asm::word(*rng.pick(hot)) } else { U256::from(rng.below(5)) }
}
