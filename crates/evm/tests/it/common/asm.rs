//! A tiny assembler.

use alloy_primitives::{Address, Bytes, U256};
use revm::bytecode::opcode as op;

/// Bytecode under construction. A fragment without labels can be put into another one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Asm {
    code: Vec<u8>,
    labels: Vec<(&'static str, usize)>,
    jumps: Vec<(&'static str, usize)>,
}

/// An empty program.
pub(crate) fn asm() -> Asm {
    Asm::default()
}

/// Pushes a number.
pub(crate) fn num(value: impl TryInto<U256>) -> Asm {
    asm().push(value.try_into().ok().unwrap())
}

/// Pushes an address.
pub(crate) fn addr(address: Address) -> Asm {
    asm().push(U256::from_be_slice(address.as_slice()))
}

/// Pushes the calldata's word with this index.
pub(crate) fn arg(index: usize) -> Asm {
    num(32 * index).op(op::CALLDATALOAD)
}

/// Pushes the value of a slot.
pub(crate) fn slot(slot: u64) -> Asm {
    num(slot).op(op::SLOAD)
}

/// Pushes what an instruction without operands gives.
pub(crate) fn get(opcode: u8) -> Asm {
    asm().op(opcode)
}

/// Pushes what an instruction with one operand gives.
pub(crate) fn of(opcode: u8, operand: Asm) -> Asm {
    operand.op(opcode)
}

/// Pushes half the gas that is left. Before Tangerine Whistle a call cannot ask for all of it.
pub(crate) fn half_the_gas() -> Asm {
    num(2).op(op::GAS).op(op::DIV)
}

/// Words as calldata.
pub(crate) fn words(words: &[U256]) -> Bytes {
    words.iter().flat_map(|word| word.to_be_bytes::<32>()).collect::<Vec<_>>().into()
}

/// An address as a word.
pub(crate) fn word(address: Address) -> U256 {
    U256::from_be_slice(address.as_slice())
}

/// Code that deploys `runtime`.
pub(crate) fn deploys(runtime: &[u8]) -> Vec<u8> {
    runs_and_deploys(asm(), runtime)
}

/// Code that runs `constructor`, then deploys `runtime`.
pub(crate) fn runs_and_deploys(constructor: Asm, runtime: &[u8]) -> Vec<u8> {
    let mut code = constructor.build();
    let [high, low] = (runtime.len() as u16).to_be_bytes();
    let [from_high, from_low] = (code.len() as u16 + 13).to_be_bytes();
    code.extend([op::PUSH2, high, low, op::DUP1, op::PUSH2, from_high, from_low]);
    code.extend([op::PUSH1, 0, op::CODECOPY, op::PUSH1, 0, op::RETURN]);
    code.extend_from_slice(runtime);
    code
}

impl Asm {
    pub(crate) fn op(mut self, opcode: u8) -> Self {
        self.code.push(opcode);
        self
    }

    pub(crate) fn push(mut self, value: U256) -> Self {
        let bytes = value.to_be_bytes_trimmed_vec();
        let bytes = if bytes.is_empty() { vec![0] } else { bytes };
        self.code.push(op::PUSH1 + bytes.len() as u8 - 1);
        self.code.extend(bytes);
        self
    }

    /// Puts a fragment here.
    pub(crate) fn then(mut self, other: Asm) -> Self {
        let base = self.code.len();
        self.labels.extend(other.labels.iter().map(|(name, at)| (*name, at + base)));
        self.jumps.extend(other.jumps.iter().map(|(name, at)| (*name, at + base)));
        self.code.extend(other.code);
        self
    }

    pub(crate) fn label(mut self, name: &'static str) -> Self {
        self.labels.push((name, self.code.len()));
        self.op(op::JUMPDEST)
    }

    fn push_label(mut self, name: &'static str) -> Self {
        self.code.push(op::PUSH2);
        self.jumps.push((name, self.code.len()));
        self.code.extend([0, 0]);
        self
    }

    pub(crate) fn jump(self, name: &'static str) -> Self {
        self.push_label(name).op(op::JUMP)
    }

    /// Jumps if the condition is not zero.
    pub(crate) fn jump_if(self, condition: Asm, name: &'static str) -> Self {
        self.then(condition).push_label(name).op(op::JUMPI)
    }

    /// Executes a fragment unless the condition is not zero. Neither may have labels.
    pub(crate) fn skip_if(self, condition: Asm, body: Asm) -> Self {
        // Relative to the instruction counter, so that it works wherever it is put: PC is where it stands itself.
        let over = body.build();
        let distance = 6 + over.len();
        let mut code = self.then(condition).op(op::PC).op(op::PUSH2);
        code.code.extend((distance as u16).to_be_bytes());
        let mut code = code.op(op::ADD).op(op::JUMPI);
        code.code.extend(over);
        code.op(op::JUMPDEST)
    }

    /// Burns about 26 gas an iteration.
    pub(crate) fn spin(self, iterations: u64) -> Self {
        self.then(num(iterations))
            .label("spin")
            .then(num(1))
            .op(op::SWAP1)
            .op(op::SUB)
            .op(op::DUP1)
            .push_label("spin")
            .op(op::JUMPI)
            .op(op::POP)
    }

    pub(crate) fn sstore(self, slot: Asm, value: Asm) -> Self {
        self.then(value).then(slot).op(op::SSTORE)
    }

    /// Adds to a slot.
    pub(crate) fn add_to(self, at: u64, value: Asm) -> Self {
        self.sstore(num(at), value.then(slot(at)).op(op::ADD))
    }

    pub(crate) fn mstore(self, offset: usize, value: Asm) -> Self {
        self.then(value).then(num(offset)).op(op::MSTORE)
    }

    /// Calls with half the gas and the first `input` bytes of memory; leaves success on the stack.
    pub(crate) fn call(self, to: Asm, value: Asm, input: usize) -> Self {
        self.call_with_gas(half_the_gas(), to, value, input)
    }

    pub(crate) fn call_with_gas(self, gas: Asm, to: Asm, value: Asm, input: usize) -> Self {
        self.then(num(0))
            .then(num(0))
            .then(num(input))
            .then(num(0))
            .then(value)
            .then(to)
            .then(gas)
            .op(op::CALL)
    }

    /// Logs one word.
    pub(crate) fn log(self, value: Asm) -> Self {
        self.mstore(0, value).then(num(32)).then(num(0)).op(op::LOG0)
    }

    /// Stores all of the code in memory from offset zero on.
    pub(crate) fn mcode(mut self, code: &[u8]) -> Self {
        for (index, chunk) in code.chunks(32).enumerate() {
            let mut word = [0; 32];
            word[..chunk.len()].copy_from_slice(chunk);
            self = self.mstore(32 * index, num(U256::from_be_bytes(word)));
        }
        self
    }

    /// Creates with code; leaves the address on the stack.
    pub(crate) fn create(self, init: &[u8], value: Asm) -> Self {
        self.mcode(init).then(num(init.len())).then(num(0)).then(value).op(op::CREATE)
    }

    pub(crate) fn create2(self, init: &[u8], value: Asm, salt: Asm) -> Self {
        self.mcode(init).then(salt).then(num(init.len())).then(num(0)).then(value).op(op::CREATE2)
    }

    pub(crate) fn selfdestruct(self, target: Asm) -> Self {
        self.then(target).op(op::SELFDESTRUCT)
    }

    pub(crate) fn revert(self) -> Self {
        self.then(num(0)).then(num(0)).op(op::REVERT)
    }

    pub(crate) fn build(mut self) -> Vec<u8> {
        for (name, at) in &self.jumps {
            let (_, target) = self.labels.iter().find(|(label, _)| label == name).unwrap();
            self.code[*at..*at + 2].copy_from_slice(&(*target as u16).to_be_bytes());
        }
        self.code
    }
}
