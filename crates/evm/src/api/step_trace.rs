//! What steps rely on and do, location by location, for those who study conflicts.

use crate::engine::location::{AccountState, Change, EvmState, Key, Observed, Value};
use crate::engine::step::{Output, Part, Step};
use crate::engine::vm::EvmVm;
use crate::protocol::tracing::Tracing;
use crate::protocol::{Block, Protocol};
use alloy_primitives::{Address, B256, Bytes, Log, U256};
use revm::context::Transaction;
use std::sync::Arc;
use tandem_stm::{Domain, Effect, Observation, Recorded};

/// What can conflict: a field of an account or a storage slot, in one of several unrelated base states.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Location {
    /// Which base state, see [`crate::BlockInput::world`].
    pub world: u32,
    /// The account.
    pub address: Address,
    /// What of it.
    pub field: Field,
}

/// A part of an account that can conflict on its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Field {
    /// The balance, in wei.
    Balance,
    /// The nonce.
    Nonce,
    /// The code's hash.
    Code,
    /// Whether the account exists, 1 or 0.
    Existence,
    /// What the storage as a whole was last wiped by: position + 1 in the stream, 0 for nothing.
    Generation,
    /// A storage slot. Wiping the storage makes other slots of the same keys: those of the next generation.
    Slot {
        /// The slot's key.
        slot: U256,
        /// The storage's generation.
        generation: u64,
    },
}

/// Something that a step relied on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Read {
    /// Where.
    pub location: Location,
    /// What: the value, or for a balance a bound of it.
    pub relied: Observation<U256>,
}

/// A change of a value by a step. What leaves the value as it was is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Write {
    /// Where.
    pub location: Location,
    /// The value before the step.
    pub before: U256,
    /// The value after the step.
    pub after: U256,
    /// Whether the step moves the balance by an amount, whatever it is, instead of setting it.
    pub is_delta: bool,
}

/// Which part of its block a step is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum StepPart {
    /// What happens before the first transaction.
    Start,
    /// The transaction with this index.
    Transaction(usize),
    /// What happens after the last transaction.
    End,
}

/// A step that became final: what it relied on and did.
#[derive(Clone, Debug)]
pub struct StepTrace<P: Protocol> {
    /// Its block.
    pub block: Arc<Block<P>>,
    /// Which part of the block it is.
    pub part: StepPart,
    /// What it relied on. Every account that it loaded is there, at least with its code.
    pub reads: Vec<Read>,
    /// What it changed.
    pub writes: Vec<Write>,
    /// More about it, if it is a transaction.
    pub transaction: Option<TransactionTrace>,
}

/// A transaction, and what came of it.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct TransactionTrace {
    /// Its hash.
    pub hash: B256,
    /// Its sender.
    pub sender: Address,
    /// Its recipient; `None` if it creates a contract.
    pub recipient: Option<Address>,
    /// Its input.
    pub input: Bytes,
    /// Its type (EIP-2718).
    pub tx_type: u8,
    /// Whether it succeeded.
    pub success: bool,
    /// Gas used.
    pub gas_used: u64,
    /// What it logged.
    pub logs: Vec<Log>,
}

/// Sees each step before its changes are applied, on a worker's thread.
pub(crate) type Tracer<'a, P> = Box<dyn FnMut(StepTrace<P>) + Send + 'a>;

/// Puts together what is known of a step.
pub(crate) fn step_trace<'s, P: Protocol, T: Tracing<P>>(
    block: Arc<Block<P>>,
    step: &Step,
    output: &Output<P, T::Trace>,
    recorded: &Recorded<'_, EvmVm<'s, P, T>>,
) -> StepTrace<P> {
    let mut reads = Vec::new();
    for (key, observed) in recorded.observations() {
        add_reads(&mut reads, &key, observed);
    }
    let mut writes = Vec::new();
    for (key, before, change) in recorded.effects() {
        add_writes(&mut writes, &key, before, change);
    }
    let (part, transaction) = match (step.part, output) {
        (Part::Transaction(index), Output::Transaction(output)) => {
            let transaction = &block.transactions[index];
            let tx = &transaction.tx;
            let trace = TransactionTrace {
                hash: transaction.hash,
                sender: tx.caller(),
                recipient: tx.kind().to().copied(),
                input: tx.input().clone(),
                tx_type: tx.tx_type(),
                success: output.executed.success,
                gas_used: output.executed.gas_used,
                logs: output.executed.logs.clone(),
            };
            (StepPart::Transaction(index), Some(trace))
        }
        (Part::Transaction(index), _) => (StepPart::Transaction(index), None),
        (Part::Start, _) => (StepPart::Start, None),
        (Part::End, _) => (StepPart::End, None),
    };
    StepTrace { block, part, reads, writes, transaction }
}

/// Where a field is; a slot's key is a location already.
fn location(key: &Key, field: Field) -> Location {
    match *key {
        Key::Account { world, address } => Location { world, address, field },
        Key::Slot { world, address, generation, slot } => {
            Location { world, address, field: Field::Slot { slot, generation } }
        }
    }
}

fn add_reads(reads: &mut Vec<Read>, key: &Key, observed: &Observed) {
    let mut add = |field, relied| reads.push(Read { location: location(key, field), relied });
    match observed {
        // The key names the slot.
        Observed::Slot(value) => add(Field::Balance, Observation::Exact(*value)),
        Observed::Account(account) => {
            add(Field::Code, Observation::Exact(account.code_hash.into()));
            if let Some(balance) = account.balance {
                add(Field::Balance, balance);
            }
            if let Some(nonce) = account.nonce {
                add(Field::Nonce, Observation::Exact(U256::from(nonce)));
            }
            if let Some(exists) = account.exists {
                add(Field::Existence, Observation::Exact(U256::from(exists)));
            }
            if let Some(generation) = account.generation {
                add(Field::Generation, Observation::Exact(U256::from(generation)));
            }
        }
    }
}

fn add_writes(writes: &mut Vec<Write>, key: &Key, before: Value, change: &Change) {
    let mut after = before;
    EvmState::apply(change, &mut after);
    let mut add = |field, before, after, is_delta| {
        if before != after {
            writes.push(Write { location: location(key, field), before, after, is_delta });
        }
    };
    match (before, after) {
        (Value::Slot(before), Value::Slot(after)) => add(Field::Balance, before, after, false),
        (Value::Account(before), Value::Account(after)) => {
            let is_delta =
                matches!(change, Change::Account(effect) if matches!(effect.balance, Some(Effect::Add(_))));
            let number = |flag: bool| U256::from(u8::from(flag));
            let AccountState { balance, nonce, code_hash, exists, generation } = after;
            add(Field::Balance, before.balance, balance, is_delta);
            add(Field::Nonce, U256::from(before.nonce), U256::from(nonce), false);
            add(Field::Code, before.code_hash.into(), code_hash.into(), false);
            add(Field::Existence, number(before.exists), number(exists), false);
            add(Field::Generation, U256::from(before.generation), U256::from(generation), false);
        }
        _ => {}
    }
}
