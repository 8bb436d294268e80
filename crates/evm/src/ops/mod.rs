//! The instructions that record what they show, or that are faster than revm's.

mod balance;
mod keccak;

use crate::engine::context::CtxOf;
use crate::protocol::{Block, Protocol, ReplacedInstruction};
use revm::bytecode::opcode::{BALANCE, CALL, EXTCODEHASH, KECCAK256, SELFBALANCE, SELFDESTRUCT};
use revm::handler::instructions::EthInstructions;
use revm::interpreter::Instruction;
use revm::interpreter::interpreter::EthInterpreter;

/// The instructions of one worker.
pub(crate) type Instructions<'r, P> = EthInstructions<EthInterpreter, CtxOf<'r, P>>;

/// revm's instructions for a block, with those replaced that show a balance, and with the chain's own. Says whether one of these may show
/// more of accounts than what it replaces.
pub(crate) fn instructions<'r, P: Protocol>(block: &Block<P>) -> (Instructions<'r, P>, bool) {
    let mut instructions = EthInstructions::new_mainnet_with_spec(block.spec_id());
    let table = instructions.instruction_table_mut();
    table[KECCAK256 as usize] = Instruction::new(keccak::keccak256);
    table[BALANCE as usize] = Instruction::new(balance::recording_balance);
    table[SELFBALANCE as usize] = Instruction::new(balance::recording_selfbalance);
    table[EXTCODEHASH as usize] = Instruction::new(balance::recording_extcodehash);
    table[CALL as usize] = Instruction::new(balance::recording_call);
    table[SELFDESTRUCT as usize] = Instruction::new(balance::recording_selfdestruct);
    let mut shows_accounts = false;
    for replaced in &block.protocol().instructions(block) {
        shows_accounts |= replaced.shows_accounts;
        install(&mut instructions, replaced);
    }
    (instructions, shows_accounts)
}

/// Puts an instruction in the place of another one.
pub(crate) fn install<C: revm::interpreter::Host>(
    instructions: &mut EthInstructions<EthInterpreter, C>,
    replaced: &ReplacedInstruction<C>,
) {
    let ReplacedInstruction { opcode, instruction, gas, .. } = *replaced;
    instructions.instruction_table_mut()[usize::from(opcode)] = instruction;
    if let Some(gas) = gas {
        instructions.insert_gas(opcode, gas);
    }
}
