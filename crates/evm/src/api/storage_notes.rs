use crate::protocol::tracing::Tracing;
use crate::protocol::{Block, ContextOf, Protocol};
use alloy_primitives::{Address, B256, U256};
use revm::bytecode::opcode::{KECCAK256, SSTORE};
use revm::context::result::ExecutionResult;
use revm::inspector::Inspector;
use revm::interpreter::Interpreter;
use revm::interpreter::interpreter::EthInterpreter;
use revm::interpreter::interpreter_types::{InputsTr, Jumps, LoopControl};

/// A [`Tracing`] that notes what tells the layout of storage: which slots a transaction named, and how it found them.
#[derive(Clone, Copy, Debug, Default)]
pub struct StorageTracing;

/// What a transaction stored and hashed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct StorageNotes {
    /// Slots that it named in an SSTORE, in order: those whose value it kept and those it took back, too.
    pub stores: Vec<(Address, U256)>,
    /// What it hashed with KECCAK256, where that is two words, as the places in mappings are: hash, first and second word.
    pub hashed: Vec<(B256, B256, B256)>,
}

impl<P: Protocol> Tracing<P> for StorageTracing {
    type Inspector<C: ContextOf<P>> = StorageInspector;
    type Trace = StorageNotes;

    fn looks_at_state(&self) -> bool {
        false
    }

    fn begin<C: ContextOf<P>>(&self, _block: &Block<P>, _index: usize) -> StorageInspector {
        StorageInspector::default()
    }

    fn end<C: ContextOf<P>>(
        &self,
        inspector: StorageInspector,
        _result: &ExecutionResult,
        _context: &mut C,
    ) -> StorageNotes {
        inspector.notes
    }
}

/// The inspector of [`StorageTracing`].
#[derive(Debug, Default)]
pub struct StorageInspector {
    notes: StorageNotes,
    /// The instruction that is being executed, if it is to be noted.
    current: Option<Instruction>,
}

#[derive(Clone, Copy, Debug)]
enum Instruction {
    Store(Address, U256),
    /// Of the two words at this place in memory.
    Hash(usize),
}

impl<C> Inspector<C, EthInterpreter> for StorageInspector {
    fn step(&mut self, interpreter: &mut Interpreter<EthInterpreter>, _context: &mut C) {
        let operand = |index| interpreter.stack.peek(index).ok();
        self.current = match interpreter.bytecode.opcode() {
            SSTORE => operand(0).map(|slot| Instruction::Store(interpreter.input.target_address(), slot)),
            KECCAK256 if operand(1) == Some(U256::from(64)) => {
                operand(0).and_then(|offset| usize::try_from(offset).ok()).map(Instruction::Hash)
            }
            _ => None,
        };
    }

    fn step_end(&mut self, interpreter: &mut Interpreter<EthInterpreter>, _context: &mut C) {
        let Some(instruction) = self.current.take().filter(|_| !interpreter.bytecode.is_end()) else {
            return;
        };
        match instruction {
            Instruction::Store(address, slot) => self.notes.stores.push((address, slot)),
            Instruction::Hash(offset) => {
                let Ok(hash) = interpreter.stack.peek(0) else { return };
                let words = interpreter.memory.slice_len(offset, 64);
                let (first, second) = words.split_at(32);
                self.notes.hashed.push((hash.into(), B256::from_slice(first), B256::from_slice(second)));
            }
        }
    }
}
