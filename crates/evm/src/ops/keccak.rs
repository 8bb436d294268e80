use crate::engine::context::{Ictx, reborrow};
use revm::context::Transaction;
use revm::context_interface::Cfg;
use revm::interpreter::instructions::system;
use revm::interpreter::interpreter_types::MemoryTr;
use revm::interpreter::{InstructionExecResult, InstructionResult};

/// KECCAK256 that remembers.
pub(crate) fn keccak256<T: Transaction, C>(mut context: Ictx<'_, '_, T, C>) -> InstructionExecResult {
    let interpreter = &mut *context.interpreter;
    let operand = |depth| usize::try_from(interpreter.stack.peek(depth).ok()?).ok();
    let words = match (operand(0), operand(1)) {
        (Some(offset), Some(64)) => offset..offset.saturating_add(64),
        _ => return system::keccak256(reborrow(&mut context)),
    };
    if words.end > interpreter.memory.len() {
        return system::keccak256(reborrow(&mut context));
    }
    let cost = context.host.cfg.gas_params().keccak256_cost(64);
    if !interpreter.gas.record_regular_cost(cost) {
        return Err(InstructionResult::OutOfGas);
    }
    let memory = interpreter.memory.slice(words);
    let hashes = &mut context.host.journaled_state.database.content.hashes;
    let hash = memory.first_chunk().map(|pair| hashes.hash(pair));
    drop(memory);
    if let (Some(hash), Some((_, top))) = (hash, interpreter.stack.popn_top::<1>()) {
        *top = hash.into();
    }
    Ok(())
}
