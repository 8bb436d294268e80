//! Contracts used by several tests.

use super::asm::{Asm, addr, arg, asm, deploys, get, half_the_gas, num, of, slot, word, words};
use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use revm::bytecode::opcode as op;

/// Adds one to slot 0.
pub(crate) fn counter() -> Vec<u8> {
    asm().add_to(0, num(1)).op(op::STOP).build()
}

/// Takes ether without data; called with an address, destroys itself in its favour.
pub(crate) fn mortal() -> Vec<u8> {
    asm().jump_if(get(op::CALLDATASIZE), "die").op(op::STOP).label("die").selfdestruct(arg(0)).build()
}

/// What an [`interpreter`] is told to do.
pub(crate) enum Do {
    /// Calls with value and input.
    Call(Address, U256, Bytes),
    /// Reverts everything.
    Revert,
    /// Destroys the interpreter.
    Die(Address),
    /// Makes a mark (see [`marking`](super::gates::marking)).
    Mark(u64),
}

/// Calls with value and without input.
pub(crate) fn pays(to: Address, value: u64) -> Do {
    Do::Call(to, U256::from(value), Bytes::new())
}

/// Calls with one word of input.
pub(crate) fn tells(to: Address, input: U256) -> Do {
    Do::Call(to, U256::ZERO, words(&[input]))
}

/// A script for an [`interpreter`].
pub(crate) fn script(steps: impl IntoIterator<Item = Do>) -> Bytes {
    let mut input = Vec::new();
    for step in steps {
        let (to, value, data) = match step {
            Do::Call(to, value, data) => (word(to), value, data),
            Do::Revert => (U256::ZERO, U256::ZERO, Bytes::new()),
            Do::Die(target) => (U256::ONE, word(target), Bytes::new()),
            Do::Mark(mark) => (U256::from(2), U256::from(mark), Bytes::new()),
        };
        input.extend_from_slice(&words(&[to, value, U256::from(data.len())]));
        input.extend_from_slice(&data);
    }
    input.into()
}

/// Does what its input says (see [`script`]). Every call's success is mixed into slot 0.
pub(crate) fn interpreter() -> Vec<u8> {
    let at = |offset: u64| asm().op(op::DUP1).then(num(offset)).op(op::ADD).op(op::CALLDATALOAD);
    // Below, the position in the input is on top of the stack whenever `at` is used.
    asm()
        .then(num(0))
        .label("next")
        .jump_if(asm().op(op::CALLDATASIZE).op(op::DUP2).op(op::LT).op(op::ISZERO), "end")
        .jump_if(at(0).op(op::ISZERO), "revert")
        .jump_if(num(1).op(op::DUP2).op(op::CALLDATALOAD).op(op::EQ), "die")
        .jump_if(num(2).op(op::DUP2).op(op::CALLDATALOAD).op(op::EQ), "mark")
        // CALLDATACOPY(0, position + 96, length)
        .then(at(64))
        .op(op::DUP2)
        .then(num(96))
        .op(op::ADD)
        .then(num(0))
        .op(op::CALLDATACOPY)
        // CALL(gas, to, value, 0, length, 0, 0)
        .op(op::DUP1)
        .then(num(0))
        .op(op::SWAP1)
        .then(num(0))
        .op(op::SWAP1)
        .then(at(64))
        .op(op::SWAP1)
        .then(num(0))
        .op(op::SWAP1)
        .then(at(32))
        .op(op::SWAP1)
        .then(at(0))
        .op(op::SWAP1)
        .op(op::POP)
        .then(half_the_gas())
        .op(op::CALL)
        .then(num(1))
        .op(op::ADD)
        .then(slot(0))
        .then(num(3))
        .op(op::MUL)
        .op(op::ADD)
        .then(num(0))
        .op(op::SSTORE)
        // position += 96 + length
        .then(at(64))
        .op(op::ADD)
        .then(num(96))
        .op(op::ADD)
        .jump("next")
        // BLOCKHASH(NUMBER - mark); position += 96
        .label("mark")
        .then(at(32))
        .op(op::NUMBER)
        .op(op::SUB)
        .op(op::BLOCKHASH)
        .op(op::POP)
        .then(num(96))
        .op(op::ADD)
        .jump("next")
        .label("revert")
        .revert()
        .label("die")
        .then(at(32))
        .op(op::SELFDESTRUCT)
        .label("end")
        .op(op::STOP)
        .build()
}

/// Calls the address in its input's first word with the value in the second; adds what came of it to slot 0, and logs
/// the gas that is left.
pub(crate) fn forwarder() -> Vec<u8> {
    asm()
        .call(arg(0), arg(1), 0)
        .then(slot(0))
        .op(op::ADD)
        .then(num(1))
        .op(op::ADD)
        .then(num(0))
        .op(op::SSTORE)
        .log(get(op::GAS))
        .op(op::STOP)
        .build()
}

/// Logs an instruction's answer for the address in its input, and adds it to slot 0.
pub(crate) fn looker(opcode: u8) -> Vec<u8> {
    asm().log(of(opcode, arg(0))).add_to(0, of(opcode, arg(0))).op(op::STOP).build()
}

/// Deploys `runtime` by CREATE2 with the salt in its input; notes the address in slot 0.
pub(crate) fn factory2(runtime: &[u8]) -> Vec<u8> {
    let create = asm().create2(&deploys(runtime), get(op::CALLVALUE), arg(0));
    asm().then(create).then(num(0)).op(op::SSTORE).op(op::STOP).build()
}

/// Deploys `runtime` by CREATE; notes the address in slot 0.
pub(crate) fn factory(runtime: &[u8]) -> Vec<u8> {
    let create = asm().create(&deploys(runtime), get(op::CALLVALUE));
    asm().then(create).then(num(0)).op(op::SSTORE).op(op::STOP).build()
}

/// Where [`factory2`] deploys.
pub(crate) fn address2(factory: Address, salt: u64, runtime: &[u8]) -> Address {
    let salt = U256::from(salt);
    factory.create2(B256::from(salt), keccak256(deploys(runtime)))
}

/// Calls a fixed address with no value.
pub(crate) fn caller(to: Address) -> Vec<u8> {
    asm().call(addr(to), num(0), 0).op(op::STOP).build()
}

/// Moves the amount in the second word from the caller's entry to that of the first word, if there is enough.
pub(crate) fn token() -> Vec<u8> {
    let of_caller = || get(op::CALLER).op(op::SLOAD);
    asm()
        .jump_if(of_caller().then(arg(1)).op(op::GT), "fail")
        .sstore(get(op::CALLER), arg(1).then(of_caller()).op(op::SUB))
        .sstore(arg(0), arg(1).then(arg(0).op(op::SLOAD)).op(op::ADD))
        .log(arg(1))
        .op(op::STOP)
        .label("fail")
        .revert()
        .build()
}

/// Asks for the balance of somebody whom nobody has asked for, so that the store is read and may take its time.
pub(crate) fn linger() -> Asm {
    asm().op(op::GAS).op(op::BALANCE).op(op::POP)
}

/// Takes ether without data. With an address, destroys itself in its favour. With two words, adds the second to the slot in
/// the first, and logs what it found there.
pub(crate) fn vault() -> Vec<u8> {
    let found = || arg(0).op(op::SLOAD);
    asm()
        .jump_if(num(32).op(op::CALLDATASIZE).op(op::EQ), "die")
        .jump_if(get(op::CALLDATASIZE), "add")
        .op(op::STOP)
        .label("add")
        .then(linger())
        .log(found())
        .then(linger())
        .sstore(arg(0), arg(1).then(found()).op(op::ADD))
        .op(op::STOP)
        .label("die")
        .then(linger())
        .selfdestruct(arg(0))
        .build()
}

/// Calls the address in the input's first word with the rest of the input, by CALL or one of its kin; logs success and the
/// first word of what came back.
pub(crate) fn relay(opcode: u8) -> Vec<u8> {
    let rest = || num(32).op(op::CALLDATASIZE).op(op::SUB);
    let begin = asm().then(rest()).then(num(32)).then(num(0)).op(op::CALLDATACOPY);
    let operands = begin.then(num(32)).then(num(0)).then(rest()).then(num(0));
    let value = if matches!(opcode, op::CALL | op::CALLCODE) { get(op::CALLVALUE) } else { asm() };
    let call = operands.then(value).then(arg(0)).then(half_the_gas()).op(opcode);
    call.then(num(32)).op(op::MSTORE).then(num(64)).then(num(0)).op(op::LOG0).op(op::STOP).build()
}

/// Copies the slot in the first word to that in the second.
pub(crate) fn copier() -> Vec<u8> {
    asm().sstore(arg(1), arg(0).op(op::SLOAD)).op(op::STOP).build()
}

/// Sends its balance, halved, to the address in its input, then adds its own balance to slot 1.
pub(crate) fn spender() -> Vec<u8> {
    let own = || get(op::ADDRESS).op(op::BALANCE);
    asm().call(arg(0), num(2).then(own()).op(op::DIV), 0).op(op::POP).add_to(1, own()).op(op::STOP).build()
}
