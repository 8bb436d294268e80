//! Instructions that tell a trace what they were about. Installed only where there is a trace.

use super::keccak;
use crate::engine::context::{Ictx, reborrow};
use alloy_primitives::B256;
use revm::context::Transaction;
use revm::interpreter::InstructionExecResult;
use revm::interpreter::instructions::host;
use revm::interpreter::interpreter_types::InputsTr;

/// KECCAK256, noting what was hashed if that is two words.
pub(crate) fn keccak256<T: Transaction, C>(mut context: Ictx<'_, '_, T, C>) -> InstructionExecResult {
    let stack = &context.interpreter.stack;
    let operands = stack.peek(0).ok().zip(stack.peek(1).ok());
    let result = keccak::keccak256(reborrow(&mut context));
    let Some((offset, length)) = operands else { return result };
    if result.is_ok()
        && length == 64
        && let Ok(offset) = usize::try_from(offset)
        && let Ok(hash) = context.interpreter.stack.peek(0)
        && let Some(notes) = &mut context.host.journaled_state.database.notes
    {
        let words = context.interpreter.memory.slice_len(offset, 64);
        let (first, second) = words.split_at(32);
        notes.hashed.push((hash.into(), B256::from_slice(first), B256::from_slice(second)));
    }
    result
}

/// SSTORE, noting the slot.
pub(crate) fn sstore<T: Transaction, C>(mut context: Ictx<'_, '_, T, C>) -> InstructionExecResult {
    let slot = context.interpreter.stack.peek(0);
    let result = host::sstore(reborrow(&mut context));
    if result.is_ok()
        && let Ok(slot) = slot
    {
        let address = context.interpreter.input.target_address();
        if let Some(notes) = &mut context.host.journaled_state.database.notes {
            notes.stores.push((address, slot));
        }
    }
    result
}
