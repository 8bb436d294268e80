//! A toy machine for the engine's tests: small programs over numbers and wipeable slots.
//!
//! Values are signed and programs keep them small, so that sums never overflow. A step's output is everything it read
//! exactly; a funds check that succeeds leaves no trace in it.
#![allow(dead_code, reason = "each test file uses a part")]

pub(crate) mod harness;
pub(crate) mod oracle;
pub(crate) mod strategy;
pub(crate) mod vm;

use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex};
use tandem_stm::Outcome;

/// A location. Numbers from [`Key::COLLIDING`] on all have the same hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Key {
    /// A number, moved by sets and deltas.
    Number(u8),
    /// An owner's generation: 0, or the position + 1 of its last creation, or the negative of that of its last wipe. An
    /// owner exists if it is positive.
    Life(u8),
    /// A slot of an owner, as of a generation.
    Slot { owner: u8, generation: i64, slot: u8 },
}

impl Key {
    pub(crate) const COLLIDING: u8 = 200;

    /// The value before the stream: wiped slots are zero, everything else is an arbitrary small number.
    pub(crate) fn base(self) -> i64 {
        match self {
            Self::Number(key) => 40 + i64::from(key),
            Self::Slot { owner, generation: 0, slot } => 7 + i64::from(owner) + i64::from(slot) * 2,
            Self::Life(_) | Self::Slot { .. } => 0,
        }
    }

    fn kind(self) -> usize {
        match self {
            Self::Number(_) => 0,
            Self::Life(_) => 1,
            Self::Slot { .. } => 2,
        }
    }
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match *self {
            Self::Number(key) => key.min(Self::COLLIDING).hash(state),
            Self::Life(owner) => (1_u16, owner).hash(state),
            Self::Slot { owner, generation, slot } => (owner, generation, slot).hash(state),
        }
    }
}

/// One operation. `acc` is the accumulator: the last value read.
#[derive(Clone, Debug)]
pub(crate) enum Op {
    /// `acc = number`.
    Read(u8),
    /// Moves a number by a constant.
    Add(u8, i64),
    /// Moves a number by a constant, unseen by later steps until it is final: see `View::late_effect`.
    Pay(u8, i64),
    /// Moves a number by the accumulator modulo 1,000, times the sign of the factor.
    AddAcc(u8, i64),
    /// Checks for funds. If they are missing, the rest of the program is skipped.
    Require(u8, i64),
    /// Checks for funds. If they are missing, the step fails.
    Demand(u8, i64),
    /// Sets a number to the accumulator modulo 1,000,003, plus a constant.
    Write(u8, i64),
    /// Ends an owner's existence and gives it a new generation.
    Wipe(u8),
    /// Creates an owner in a new generation, and `acc = 1`; if it exists, `acc = 0`.
    Create(u8),
    /// `acc = slot` of an owner.
    ReadSlot(u8, u8),
    /// Sets a slot of an owner to the accumulator modulo 1,000,003, plus a constant.
    WriteSlot(u8, u8, i64),
    /// Moves the whole number of the first key to the second. Repairable if alone in its step.
    Sweep(u8, u8),
    /// Keeps the processor busy for about this many microseconds.
    Spin(u32),
    /// Names the step's conflict class; does nothing.
    Class(u8),
    /// Runs the test's own code.
    Hook(Hook),
}

/// Code of a test inside a step.
#[derive(Clone)]
pub(crate) struct Hook(pub(crate) Arc<dyn Fn(Moment) + Send + Sync>);

impl std::fmt::Debug for Hook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hook")
    }
}

/// Where a hook runs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    pub(crate) position: u64,
    pub(crate) speculative: bool,
}

/// A hook as an operation.
pub(crate) fn hook(code: impl Fn(Moment) + Send + Sync + 'static) -> Op {
    Op::Hook(Hook(Arc::new(code)))
}

/// A program, and whether it is the last of its batch.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) ops: Vec<Op>,
    pub(crate) ends_batch: bool,
}

/// A step inside a batch.
pub(crate) fn step(ops: impl Into<Vec<Op>>) -> Step {
    Step { ops: ops.into(), ends_batch: false }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ToyError {
    /// A demand was not met by this number.
    Funds(u8),
    /// The base state could not be read.
    Fault,
    /// The sink refused a step.
    Refused,
}

/// Which steps become final without effects. Outputs say why, as its last number.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Rules {
    /// Whether steps that fail at their turn are rejected, rather than end the stream. Faults always end it.
    pub(crate) rejects: bool,
    /// Upper bound on the cost of the steps of a batch together. A step that costs more than is left is skipped.
    pub(crate) limit: Option<i64>,
}

impl Rules {
    /// Ends the output of a skipped step. No step yields it otherwise.
    const SKIPPED: i64 = i64::MIN;
    /// The output of a rejected step.
    const REJECTED: i64 = i64::MIN + 1;

    /// Takes a step, whose batch has cost so much before, or marks its output as skipped.
    pub(crate) fn admit(&self, spent: &mut i64, output: &mut Vec<i64>) -> Outcome {
        let cost = 1 + output.iter().map(|number| number.rem_euclid(5)).sum::<i64>();
        if self.limit.is_some_and(|limit| *spent + cost > limit) {
            output.push(Self::SKIPPED);
            return Outcome::Skipped;
        }
        *spent += cost;
        Outcome::Taken
    }

    /// The output of a step that failed, if it is rejected.
    pub(crate) fn reject(&self, error: ToyError) -> Result<Vec<i64>, ToyError> {
        match error {
            ToyError::Funds(key) if self.rejects => Ok(vec![key.into(), Self::REJECTED]),
            error => Err(error),
        }
    }
}

/// The machine.
#[derive(Debug, Default)]
pub(crate) struct Toy {
    /// The number whose base value cannot be read.
    pub(crate) faulty: Option<u8>,
    /// The number whose base value makes the reader panic.
    pub(crate) panics: Option<u8>,
    /// Whether prefetching panics.
    pub(crate) panics_prefetching: bool,
    /// Whether rejecting a step panics.
    pub(crate) panics_rejecting: bool,
    /// Whether steps of one batch may be executed in runs.
    pub(crate) runs: bool,
    /// Which steps become final without effects.
    pub(crate) rules: Rules,
    /// Makes workers that unwind linger, between releasing their locks and reporting the panic.
    pub(crate) linger: bool,
    /// Values that a stream gave back. They belong to one stream.
    pub(crate) retired: Mutex<BTreeMap<Key, i64>>,
}

impl Toy {
    /// The value under a key before the round.
    fn base(&self, key: Key) -> i64 {
        let retired = self.retired.lock().expect("nothing panics here");
        retired.get(&key).copied().unwrap_or_else(|| key.base())
    }
}
