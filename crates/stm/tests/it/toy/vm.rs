use super::{Key, Moment, Op, Step, Toy, ToyError};
use std::time::{Duration, Instant};
use tandem_stm::{Cell, Check, Delta, Domain, Effect, EntryId, Observation, Read, Repair, View, Vm, Words};

/// A value and its complement, so that a torn read is noticed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Value([u64; 2]);

impl Value {
    pub(crate) fn new(number: i64) -> Self {
        Self([number as u64, !number as u64])
    }

    pub(crate) fn number(self) -> i64 {
        assert_eq!(self.0[0], !self.0[1], "a torn value");
        self.0[0] as i64
    }
}

#[derive(Debug, Default)]
pub(crate) struct ValueCell(Words<2>);

impl Cell<Value> for ValueCell {
    fn load(&self) -> Value {
        Value(self.0.load())
    }

    fn store(&self, value: Value) {
        self.0.store(value.0);
    }
}

#[derive(Debug, Default)]
pub(crate) struct KeyCell(Words<2>);

impl Cell<Key> for KeyCell {
    fn load(&self) -> Key {
        let [first, generation] = self.0.load();
        let [kind, owner, slot, ..] = first.to_le_bytes();
        match kind {
            0 => Key::Number(owner),
            1 => Key::Life(owner),
            _ => Key::Slot { owner, generation: generation as i64, slot },
        }
    }

    fn store(&self, key: Key) {
        let (kind, owner, slot, generation) = match key {
            Key::Number(number) => (0, number, 0, 0),
            Key::Life(owner) => (1, owner, 0, 0),
            Key::Slot { owner, generation, slot } => (2, owner, slot, generation),
        };
        self.0.store([u64::from_le_bytes([kind, owner, slot, 0, 0, 0, 0, 0]), generation as u64]);
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Observed {
    kind: usize,
    observation: Observation<i64>,
}

/// What the present run knows of one key.
struct Local {
    key: Key,
    entry: EntryId,
    read: Option<Read<Value>>,
    exact: bool,
    bound: Option<i64>,
    effect: Option<Effect<i64>>,
}

impl Local {
    fn delta(&self) -> i64 {
        match self.effect {
            Some(Effect::Add(Delta::Plus(amount))) => amount,
            Some(Effect::Add(Delta::Minus(amount))) => -amount,
            _ => 0,
        }
    }
}

pub(crate) struct ToyWorker<'r> {
    toy: &'r Toy,
    view: View<'r, Numbers>,
    locals: Vec<Local>,
    /// Payments of the run, in order, to keys that it uses in no other way.
    paid: Vec<(Key, i64)>,
    /// Steps of the run before the present one.
    earlier: u64,
    open: bool,
    /// Set while a step executes. Found set at the next step, it shows that a step panicked.
    busy: bool,
}

impl Drop for ToyWorker<'_> {
    fn drop(&mut self) {
        if self.toy.linger && std::thread::panicking() {
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

impl ToyWorker<'_> {
    fn entry(&mut self, key: Key) -> Result<EntryId, ToyError> {
        let is = |number: Option<u8>| number.is_some_and(|number| key == Key::Number(number));
        self.view.resolve(&key, || {
            assert!(!is(self.toy.panics), "boom");
            if is(self.toy.faulty) { Err(ToyError::Fault) } else { Ok(Value::new(self.toy.base(key))) }
        })
    }

    fn local(&mut self, key: Key) -> Result<&mut Local, ToyError> {
        let at = match self.locals.iter().position(|local| local.key == key) {
            Some(at) => at,
            None => {
                let entry = self.entry(key)?;
                let mut paid = 0;
                self.paid.retain(|(other, amount)| {
                    paid += if *other == key { *amount } else { 0 };
                    *other != key
                });
                let effect = (paid != 0).then(|| Effect::Add(Delta::between(0, paid)));
                self.locals.push(Local { key, entry, read: None, exact: false, bound: None, effect });
                self.locals.len() - 1
            }
        };
        Ok(&mut self.locals[at])
    }

    /// The value that the step started from.
    fn original(&mut self, key: Key) -> Result<(i64, &mut Local), ToyError> {
        let local = self.local(key)?;
        if local.read.is_none() {
            let entry = local.entry;
            let read = self.view.read_entry(entry);
            self.local(key)?.read = Some(read);
        }
        let local = self.local(key)?;
        Ok((local.read.expect("read above").value.number(), local))
    }

    fn get(&mut self, key: Key) -> Result<i64, ToyError> {
        if let Some(Effect::Set(value)) = self.local(key)?.effect {
            return Ok(value);
        }
        let (original, local) = self.original(key)?;
        local.exact = true;
        Ok(original + local.delta())
    }

    fn set(&mut self, key: Key, value: i64) -> Result<(), ToyError> {
        self.local(key)?.effect = Some(Effect::Set(value));
        Ok(())
    }

    fn add(&mut self, key: Key, amount: i64) -> Result<(), ToyError> {
        let local = self.local(key)?;
        local.effect = Some(match local.effect {
            Some(Effect::Set(value)) => Effect::Set(value + amount),
            _ => Effect::Add(Delta::between(0, local.delta() + amount)),
        });
        Ok(())
    }

    fn pay(&mut self, key: Key, amount: i64) -> Result<(), ToyError> {
        if self.locals.iter().any(|local| local.key == key) {
            return self.add(key, amount);
        }
        self.paid.push((key, amount));
        Ok(())
    }

    fn has(&mut self, key: Key, bound: i64) -> Result<bool, ToyError> {
        if let Some(Effect::Set(value)) = self.local(key)?.effect {
            return Ok(value >= bound);
        }
        let (original, local) = self.original(key)?;
        let bound = bound - local.delta();
        if original < bound {
            local.exact = true;
            return Ok(false);
        }
        local.bound = Some(local.bound.map_or(bound, |other| other.max(bound)));
        Ok(true)
    }

    fn generation(&self) -> i64 {
        (self.view.position() + self.earlier) as i64 + 1
    }

    fn slot(&mut self, owner: u8, slot: u8) -> Result<Key, ToyError> {
        Ok(Key::Slot { owner, generation: self.get(Key::Life(owner))?, slot })
    }

    fn report(&mut self) -> Result<(), ToyError> {
        for local in &self.locals {
            if let Some(read) = &local.read {
                let observation = match local.bound {
                    _ if local.exact => Some(Observation::Exact(read.value.number())),
                    bound => bound.map(Observation::AtLeast),
                };
                if let Some(observation) = observation {
                    self.view.observe(read.sighting, Observed { kind: local.key.kind(), observation });
                }
            }
            if let Some(effect) = local.effect {
                self.view.effect(local.entry, effect);
            }
        }
        for (key, amount) in std::mem::take(&mut self.paid) {
            let entry = self.entry(key)?;
            self.view.late_effect(entry, Effect::Add(Delta::between(0, amount)));
        }
        Ok(())
    }

    /// Executes a step. One that fails leaves whatever it did where it is.
    fn execute(&mut self, step: &Step) -> Result<Vec<i64>, ToyError> {
        if self.view.is_continued() {
            self.earlier += 1;
        } else {
            self.locals.clear();
            self.paid.clear();
            self.earlier = 0;
        }
        self.open = self.toy.runs && !step.ends_batch;
        assert!(!std::mem::replace(&mut self.busy, true), "a worker goes on where it panicked");
        let result = self.perform(step);
        self.busy = false;
        if result.is_err() && self.earlier == 0 {
            // Reports what the step did before it failed, which must not count.
            let _ = self.report();
        }
        result
    }

    fn perform(&mut self, step: &Step) -> Result<Vec<i64>, ToyError> {
        let (mut acc, mut output) = (0, Vec::new());
        for op in &step.ops {
            match *op {
                Op::Read(key) => {
                    acc = self.get(Key::Number(key))?;
                    output.push(acc);
                }
                Op::Add(key, amount) => self.add(Key::Number(key), amount)?,
                Op::Pay(key, amount) => self.pay(Key::Number(key), amount)?,
                Op::AddAcc(key, sign) => self.add(Key::Number(key), acc % 1_000 * sign)?,
                Op::Require(key, bound) => {
                    if !self.has(Key::Number(key), bound)? {
                        output.push(-1);
                        break;
                    }
                }
                Op::Demand(key, bound) => {
                    if !self.has(Key::Number(key), bound)? {
                        return Err(ToyError::Funds(key));
                    }
                }
                Op::Write(key, plus) => self.set(Key::Number(key), acc % 1_000_003 + plus)?,
                Op::Wipe(owner) => self.set(Key::Life(owner), -self.generation())?,
                Op::Create(owner) => {
                    acc = i64::from(self.get(Key::Life(owner))? <= 0);
                    if acc == 1 {
                        self.set(Key::Life(owner), self.generation())?;
                    }
                    output.push(acc);
                }
                Op::ReadSlot(owner, slot) => {
                    let key = self.slot(owner, slot)?;
                    acc = self.get(key)?;
                    output.push(acc);
                }
                Op::WriteSlot(owner, slot, plus) => {
                    let key = self.slot(owner, slot)?;
                    self.set(key, acc % 1_000_003 + plus)?;
                }
                Op::Sweep(from, to) => {
                    let amount = self.get(Key::Number(from))?;
                    self.add(Key::Number(from), -amount)?;
                    self.add(Key::Number(to), amount)?;
                    output.push(amount);
                }
                Op::Spin(micros) => {
                    let start = Instant::now();
                    while start.elapsed() < Duration::from_micros(u64::from(micros)) {
                        std::hint::spin_loop();
                    }
                }
                Op::Class(_) => {}
                Op::Hook(ref hook) => (hook.0)(Moment {
                    position: self.view.position() + self.earlier,
                    speculative: self.view.is_speculative(),
                }),
            }
        }
        Ok(output)
    }
}

/// The toy's state.
#[derive(Debug)]
pub(crate) enum Numbers {}

impl Domain for Numbers {
    type Key = Key;
    type KeyCell = KeyCell;
    type Value = Value;
    type Cell = ValueCell;
    type Observation = Observed;
    type Effect = Effect<i64>;

    const KINDS: &'static [&'static str] = &["number", "life", "slot"];

    fn check(observed: &Observed, value: &Value) -> Check {
        match observed.observation {
            observation if !observation.holds(&value.number()) => Check::Violated(observed.kind),
            Observation::Exact(_) => Check::Holds,
            Observation::AtLeast(_) => Check::Moved,
        }
    }

    fn apply(effect: &Effect<i64>, value: &mut Value) -> bool {
        let new = Value::new(match *effect {
            Effect::Set(number) => number,
            Effect::Add(Delta::Plus(amount)) => value.number() + amount,
            Effect::Add(Delta::Minus(amount)) => value.number() - amount,
        });
        std::mem::replace(value, new) != new
    }
}

impl Vm for Toy {
    type Domain = Numbers;
    type Step = Step;
    type Output = Vec<i64>;
    type Error = ToyError;
    type Worker<'r> = ToyWorker<'r>;

    fn worker<'r>(&'r self, view: View<'r, Numbers>) -> Self::Worker<'r> {
        ToyWorker {
            toy: self,
            view,
            locals: Vec::new(),
            paid: Vec::new(),
            earlier: 0,
            open: false,
            busy: false,
        }
    }

    fn view<'w, 'r>(&self, worker: &'w mut Self::Worker<'r>) -> &'w mut View<'r, Numbers> {
        &mut worker.view
    }

    fn conflict_class<'r>(&'r self, _: &mut Self::Worker<'r>, step: &Step) -> Option<u64>
    where
        Self: 'r,
    {
        step.ops.iter().find_map(|op| if let Op::Class(class) = op { Some(u64::from(*class)) } else { None })
    }

    fn prefetch<'r>(&'r self, _: &mut Self::Worker<'r>, _: &Step, _: usize)
    where
        Self: 'r,
    {
        assert!(!self.panics_prefetching, "boom");
    }

    fn weight<'r>(&'r self, _: &mut Self::Worker<'r>, step: &Step) -> u64
    where
        Self: 'r,
    {
        step.ops.len() as u64
    }

    fn execute<'r>(&'r self, worker: &mut Self::Worker<'r>, step: &Step) -> Result<Vec<i64>, ToyError> {
        worker.execute(step)
    }

    fn continues<'r>(&'r self, worker: &Self::Worker<'r>) -> bool
    where
        Self: 'r,
    {
        worker.open
    }

    fn report<'r>(&'r self, worker: &mut Self::Worker<'r>, _: &mut Vec<i64>) -> Result<(), ToyError>
    where
        Self: 'r,
    {
        worker.report()
    }

    fn retire(&self, changed: &mut dyn Iterator<Item = (Key, Value)>) -> bool {
        let mut retired = self.retired.lock().expect("nothing panics here");
        retired.extend(changed.map(|(key, value)| (key, value.number())));
        true
    }

    fn reject(&self, _: &Step, error: ToyError) -> Result<Vec<i64>, ToyError> {
        assert!(!self.panics_rejecting, "boom");
        self.rules.reject(error)
    }

    /// Shifts a lone sweep to the amount that is there now; an amount of zero leaves no effects.
    fn repair(&self, step: &Step, repair: &mut Repair<'_, Self>) -> bool {
        let [(from, _, amount)] = *repair.violated else { return false };
        let amount = amount.number();
        if !matches!(*step.ops, [Op::Sweep(from, to)] if from != to) {
            return false;
        }
        for (entry, effect) in repair.effects.iter_mut() {
            let moved = if *entry == from { -amount } else { amount };
            *effect = Effect::Add(Delta::between(0, moved));
        }
        if amount == 0 {
            repair.effects.clear();
        }
        *repair.output = vec![amount];
        true
    }
}
