//! Contracts used by several tests.

use super::asm::{addr, arg, asm, deploys, get, num, of, slot};
use alloy_primitives::{Address, B256, keccak256};
use revm::bytecode::opcode as op;

/// Adds one to slot 0.
pub(crate) fn counter() -> Vec<u8> {
    asm().add_to(0, num(1)).op(op::STOP).build()
}

/// Takes ether without data; called with an address, destroys itself in its favour.
pub(crate) fn mortal() -> Vec<u8> {
    asm().jump_if(get(op::CALLDATASIZE), "die").op(op::STOP).label("die").selfdestruct(arg(0)).build()
}

/// Calls the address in the first word with the value in the second and the rest of its input; stores success in slot
/// 0 and logs it.
pub(crate) fn forwarder() -> Vec<u8> {
    let rest = || num(64).then(get(op::CALLDATASIZE)).op(op::SUB);
    asm()
        .then(rest())
        .then(num(64))
        .then(num(0))
        .op(op::CALLDATACOPY)
        .then(num(0))
        .then(num(0))
        .then(rest())
        .then(num(0))
        .then(arg(1))
        .then(arg(0))
        .then(get(op::GAS))
        .op(op::CALL)
        .then(num(1))
        .op(op::ADD)
        .then(num(0))
        .op(op::SSTORE)
        .log(slot(0))
        .op(op::STOP)
        .build()
}

/// Like [`forwarder`], but reverts afterwards.
pub(crate) fn reverter() -> Vec<u8> {
    let rest = || num(64).then(get(op::CALLDATASIZE)).op(op::SUB);
    asm()
        .then(rest())
        .then(num(64))
        .then(num(0))
        .op(op::CALLDATACOPY)
        .then(num(0))
        .then(num(0))
        .then(rest())
        .then(num(0))
        .then(arg(1))
        .then(arg(0))
        .then(get(op::GAS))
        .op(op::CALL)
        .revert()
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
    let salt = alloy_primitives::U256::from(salt);
    factory.create2(B256::from(salt), keccak256(deploys(runtime)))
}

/// Calls a fixed address with no value.
pub(crate) fn caller(to: Address) -> Vec<u8> {
    asm().call(addr(to), num(0), 0).op(op::STOP).build()
}
