use crate::shared::Shared;
use crate::store::{EntryId, Found, PREDICTED};
use crate::vm::{Domain, Vm};
use crate::window::{Observed, Record};
use std::ops::Range;
use std::time::{Duration, Instant};

type Value<V> = <<V as Vm>::Domain as Domain>::Value;
type Key<V> = <<V as Vm>::Domain as Domain>::Key;
type Observation<V> = <<V as Vm>::Domain as Domain>::Observation;
type Effect<V> = <<V as Vm>::Domain as Domain>::Effect;

/// A value read through a [`View`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Read<T> {
    /// What was read.
    pub value: T,
    /// Where, and in which version: what it takes to observe it.
    pub sighting: Sighting,
}

/// Where something was read, and in which version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sighting {
    /// Where.
    pub entry: EntryId,
    stamp: u64,
}

impl Sighting {
    /// For an observation that was predicted instead of read: it is compared at the turn even if nothing changed.
    #[must_use]
    pub fn predicted(self) -> Self {
        Self { stamp: PREDICTED, ..self }
    }
}

impl<T> Read<T> {
    fn new(entry: EntryId, (stamp, value): (u64, T)) -> Self {
        Self { value, sighting: Sighting { entry, stamp } }
    }
}

/// What one worker sees of the state while it executes a step, and what it reports.
///
/// While speculating, a read gives the newest effect of an earlier step, else the final value, else the base. At
/// the frontier it gives the final value. Reading alone relies on nothing: the VM must report by [`View::observe`]
/// whatever its result depends on.
pub struct View<'r, V: Vm> {
    shared: &'r Shared<V>,
    position: u64,
    speculative: bool,
    recording: bool,
    continued: bool,
    /// Ids of entries that are set aside for this worker.
    spare: Range<u32>,
    pub(crate) record: Record<V::Domain>,
    pub(crate) waits: u64,
    pub(crate) waited: Duration,
}

impl<V: Vm> std::fmt::Debug for View<'_, V> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("View")
            .field("position", &self.position)
            .field("speculative", &self.speculative)
            .finish_non_exhaustive()
    }
}

impl<'r, V: Vm> View<'r, V> {
    pub(crate) fn new(shared: &'r Shared<V>) -> Self {
        Self {
            shared,
            position: 0,
            speculative: false,
            recording: false,
            continued: false,
            spare: 0..0,
            record: Record::default(),
            waits: 0,
            waited: Duration::ZERO,
        }
    }

    /// A view for a worker whose state is made anew.
    pub(crate) fn successor(&self) -> Self {
        Self { waits: self.waits, waited: self.waited, ..Self::new(self.shared) }
    }

    /// `always`: whether to record observations even where nothing is validated later.
    pub(crate) fn begin(&mut self, position: u64, speculative: bool, always: bool) {
        self.position = position;
        self.speculative = speculative;
        self.recording = speculative || always;
        self.continued = false;
        self.record.clear();
    }

    /// Goes on to the next step of a run.
    pub(crate) fn proceed(&mut self) {
        self.continued = true;
    }

    /// Whether the step being executed continues a run (see [`Vm::continues`]).
    pub fn is_continued(&self) -> bool {
        self.continued
    }

    /// The position of the step being executed, its index in the stream; in a run, that of the first step.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Whether earlier steps are still in flight.
    pub fn is_speculative(&self) -> bool {
        self.speculative
    }

    /// Whether observations are recorded. At the frontier there is nothing to validate later, so that they matter only
    /// to a VM that wants them always (see [`Vm::records_always`]).
    pub fn is_recording(&self) -> bool {
        self.recording
    }

    /// Reads the value under `key`; `base` reads it from the base state if the stream has not met this key before.
    ///
    /// # Errors
    ///
    /// Whatever `base` returns.
    pub fn read<E>(
        &mut self,
        key: &Key<V>,
        base: impl FnOnce() -> Result<Value<V>, E>,
    ) -> Result<Read<Value<V>>, E> {
        let entry = self.resolve(key, base)?;
        Ok(self.read_entry(entry))
    }

    /// Whether the stream has met `key` before. What is under it is brought into the caches.
    pub fn knows(&self, key: &Key<V>) -> bool {
        let Some(entry) = self.shared.store.find(key) else { return false };
        std::hint::black_box(self.shared.store.read_final(entry));
        true
    }

    /// The entry of `key`, for an effect on a value that is not read.
    ///
    /// # Errors
    ///
    /// Whatever `base` returns.
    pub fn resolve<E>(
        &mut self,
        key: &Key<V>,
        base: impl FnOnce() -> Result<Value<V>, E>,
    ) -> Result<EntryId, E> {
        self.shared.store.intern(key, &mut self.spare, base)
    }

    /// Reads the value of an entry.
    pub fn read_entry(&mut self, entry: EntryId) -> Read<Value<V>> {
        let store = &self.shared.store;
        if !self.speculative {
            return Read::new(entry, store.read_final(entry));
        }
        loop {
            match store.read_at(entry, self.position) {
                Found::Value { stamp, value } => return Read::new(entry, (stamp, value)),
                Found::Rerunning(_) if self.shared.stopped() => {
                    return Read::new(entry, store.read_final(entry));
                }
                Found::Rerunning(writer) => {
                    let start = Instant::now();
                    self.shared.wait_for(writer);
                    self.waits += 1;
                    self.waited += start.elapsed();
                }
            }
        }
    }

    /// Records that the result relies on `observation` of what was seen. It must hold of the value that was read: while
    /// that version stands, it is not compared again. See [`Sighting::predicted`] for one that may not.
    pub fn observe(&mut self, seen: Sighting, observation: Observation<V>) {
        if self.recording {
            let Sighting { entry, stamp } = seen;
            self.record.observations.push(Observed { entry, stamp, observation });
        }
    }

    /// Records what the step does. An entry may be named once per run, and not as a late effect besides.
    pub fn effect(&mut self, entry: EntryId, effect: Effect<V>) {
        self.record.effects.push((entry, effect));
    }

    /// Records what the step does to something that nearly every step changes and hardly any reads: a sum of fees, say.
    ///
    /// Later steps that are executed ahead do not see it, so that it costs the workers no traffic; should they rely on it, they
    /// conflict. Late effects apply in the order in which they are named, of which an entry may have several.
    pub fn late_effect(&mut self, entry: EntryId, effect: Effect<V>) {
        self.record.late.push((entry, effect));
    }
}
