//! The same programs, one after the other, over a plain map.

use super::{Key, Op, Rules, Step, ToyError};
use std::collections::{BTreeMap, VecDeque};
use tandem_stm::Outcome;

/// Everything that a stream leaves behind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Log {
    /// Of each final step.
    pub(crate) outputs: Vec<Vec<i64>>,
    /// How each of them became final.
    pub(crate) outcomes: Vec<Outcome>,
    /// Outputs that the sink was asked about, of steps that are not final yet.
    pub(crate) asked: VecDeque<Vec<i64>>,
    /// Per complete batch, each changed key with its value before and after.
    pub(crate) segments: Vec<BTreeMap<Key, (i64, i64)>>,
}

impl Log {
    /// Everything that differs from the base after the last complete batch.
    pub(crate) fn state(&self) -> BTreeMap<Key, i64> {
        let mut state: BTreeMap<_, _> =
            self.segments.iter().flatten().map(|(&key, &(_, after))| (key, after)).collect();
        state.retain(|key, value| *value != key.base());
        state
    }
}

struct SerialExecution<'a> {
    state: &'a mut BTreeMap<Key, i64>,
    undo: Vec<(Key, i64)>,
}

impl SerialExecution<'_> {
    fn get(&self, key: Key) -> i64 {
        self.state.get(&key).copied().unwrap_or_else(|| key.base())
    }

    fn set(&mut self, key: Key, value: i64) {
        self.undo.push((key, self.get(key)));
        self.state.insert(key, value);
    }

    fn slot(&self, owner: u8, slot: u8) -> Key {
        Key::Slot { owner, generation: self.get(Key::Life(owner)), slot }
    }

    fn step(&mut self, position: i64, ops: &[Op]) -> Result<Vec<i64>, ToyError> {
        let mut output = Vec::new();
        let mut acc = 0;
        for op in ops {
            match *op {
                Op::Read(key) => {
                    acc = self.get(Key::Number(key));
                    output.push(acc);
                }
                Op::Add(key, amount) | Op::Pay(key, amount) => {
                    self.set(Key::Number(key), self.get(Key::Number(key)) + amount);
                }
                Op::AddAcc(key, sign) => {
                    self.set(Key::Number(key), self.get(Key::Number(key)) + acc % 1_000 * sign);
                }
                Op::Require(key, bound) if self.get(Key::Number(key)) < bound => {
                    output.push(-1);
                    return Ok(output);
                }
                Op::Demand(key, bound) if self.get(Key::Number(key)) < bound => {
                    return Err(ToyError::Funds(key));
                }
                Op::Write(key, plus) => self.set(Key::Number(key), acc % 1_000_003 + plus),
                Op::Wipe(owner) => self.set(Key::Life(owner), -position - 1),
                Op::Create(owner) => {
                    acc = i64::from(self.get(Key::Life(owner)) <= 0);
                    if acc == 1 {
                        self.set(Key::Life(owner), position + 1);
                    }
                    output.push(acc);
                }
                Op::ReadSlot(owner, slot) => {
                    acc = self.get(self.slot(owner, slot));
                    output.push(acc);
                }
                Op::WriteSlot(owner, slot, plus) => {
                    self.set(self.slot(owner, slot), acc % 1_000_003 + plus);
                }
                Op::Sweep(from, to) => {
                    let amount = self.get(Key::Number(from));
                    self.set(Key::Number(from), 0);
                    self.set(Key::Number(to), self.get(Key::Number(to)) + amount);
                    output.push(amount);
                }
                Op::Require(..) | Op::Demand(..) | Op::Spin(_) | Op::Class(_) | Op::Hook(_) => {}
            }
        }
        Ok(output)
    }
}

/// Executes the batches serially, up to the first step that fails; gives its position and error too.
pub(crate) fn serial(batches: &[Vec<Step>]) -> (Log, Option<(u64, ToyError)>) {
    serial_by(Rules::default(), batches)
}

/// Executes the batches serially by these rules.
pub(crate) fn serial_by(rules: Rules, batches: &[Vec<Step>]) -> (Log, Option<(u64, ToyError)>) {
    let mut log = Log::default();
    let mut state = BTreeMap::new();
    let mut before = BTreeMap::new();
    let mut position = 0;
    for batch in batches {
        let mut spent = 0;
        for step in batch {
            let mut execution = SerialExecution { state: &mut state, undo: Vec::new() };
            let result = execution.step(position, &step.ops);
            let undo = execution.undo;
            let result = match result {
                Ok(mut output) => Ok((rules.admit(&mut spent, &mut output), output)),
                Err(error) => rules.reject(error).map(|output| (Outcome::Rejected, output)),
            };
            let (outcome, output) = match result {
                Ok(done) => done,
                Err(error) => return (log, Some((position as u64, error))),
            };
            log.outputs.push(output);
            log.outcomes.push(outcome);
            if outcome == Outcome::Taken {
                for (key, value) in undo {
                    before.entry(key).or_insert(value);
                }
            } else {
                state.extend(undo.into_iter().rev());
            }
            position += 1;
        }
        if !batch.is_empty() {
            let changes = std::mem::take(&mut before);
            let changes = changes.into_iter().map(|(key, before)| (key, (before, state[&key])));
            log.segments.push(changes.filter(|(_, (before, after))| before != after).collect());
        }
    }
    (log, None)
}
