//! Instructions that show something of an account's balance, and record that for validation.

use crate::engine::context::{Ictx, balance, reborrow};
use crate::engine::record::note_emptiness;
use alloy_primitives::Address;
use revm::bytecode::opcode::CALL;
use revm::context::Transaction;
use revm::interpreter::InstructionExecResult;
use revm::interpreter::instructions::{contract, host};
use revm::interpreter::interpreter_types::InputsTr;
use revm::primitives::hardfork::SpecId;

/// The address `depth` places below the top of the stack.
fn peek_address<T: Transaction, C>(context: &Ictx<'_, '_, T, C>, depth: usize) -> Option<Address> {
    let word = context.interpreter.stack.peek(depth).ok()?;
    Some(Address::from_word(word.into()))
}

fn recording<T: Transaction, C>(context: &Ictx<'_, '_, T, C>) -> bool {
    context.host.journaled_state.database.is_recording()
}

pub(super) fn recording_balance<T: Transaction, C>(mut context: Ictx<'_, '_, T, C>) -> InstructionExecResult {
    if !recording(&context) {
        return host::balance(context);
    }
    let address = peek_address(&context, 0);
    let result = host::balance(reborrow(&mut context));
    if let Some(address) = address {
        context.host.journaled_state.database.ledger.show_balance(address);
    }
    result
}

pub(super) fn recording_selfbalance<T: Transaction, C>(
    mut context: Ictx<'_, '_, T, C>,
) -> InstructionExecResult {
    if recording(&context) {
        let address = context.interpreter.input.target_address();
        context.host.journaled_state.database.ledger.show_balance(address);
    }
    host::selfbalance(reborrow(&mut context))
}

pub(super) fn recording_extcodehash<T: Transaction, C>(
    mut context: Ictx<'_, '_, T, C>,
) -> InstructionExecResult {
    if !recording(&context) {
        return host::extcodehash(context);
    }
    let address = peek_address(&context, 0);
    let result = host::extcodehash(reborrow(&mut context));
    if let Some(address) = address
        && let Some(balance) = balance(context.host, address)
    {
        note_emptiness(context.host, address, balance);
    }
    result
}

/// CALL charges for a new account where the callee is empty, if it sends value, and before EIP-161 in any case.
pub(super) fn recording_call<T: Transaction, C>(mut context: Ictx<'_, '_, T, C>) -> InstructionExecResult {
    if !recording(&context) {
        return contract::call::<CALL, _, _>(context);
    }
    let callee = peek_address(&context, 1);
    let sends = context.interpreter.stack.peek(2).is_ok_and(|value| !value.is_zero());
    let result = contract::call::<CALL, _, _>(reborrow(&mut context));
    let charged = sends || !context.host.cfg.spec.is_enabled_in(SpecId::SPURIOUS_DRAGON);
    if charged
        && let Some(callee) = callee
        && let Some(balance) = balance(context.host, callee)
    {
        note_emptiness(context.host, callee, balance);
    }
    result
}

/// SELFDESTRUCT moves the whole balance, and charges for a target that is empty.
pub(super) fn recording_selfdestruct<T: Transaction, C>(
    mut context: Ictx<'_, '_, T, C>,
) -> InstructionExecResult {
    context.host.journaled_state.database.ledger.run_must_end = true;
    if !recording(&context) {
        return host::selfdestruct(context);
    }
    let source = context.interpreter.input.target_address();
    let target = peek_address(&context, 0);
    let swept = balance(context.host, source).unwrap_or_default();
    let result = host::selfdestruct(reborrow(&mut context));
    let Some(target) = target else { return result };
    let before = match balance(context.host, target) {
        Some(after) if target != source => Some(after.wrapping_sub(swept)),
        other => other,
    };
    if let Some(before) = before {
        note_emptiness(context.host, target, before);
    }
    context.host.journaled_state.database.ledger.note_sweep(source, target, swept);
    result
}
