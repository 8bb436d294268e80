use crate::domain::Domain;
use crate::record::{Observed, Record};
use crate::store::{EntryId, Found, PREDICTED, VersionStore};
use crate::table::Table;
use std::ops::Range;
use std::time::{Duration, Instant};

/// A value read through a [`View`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Read<T> {
    /// The value.
    pub value: T,
    /// Where it was read, and in which version: needed to observe it.
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
    /// For an observation that was predicted instead of read: validation compares it at the turn even if nothing has changed.
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

/// The steps in flight, as far as a view needs them.
pub(crate) trait Flight {
    /// Whether the stream has ended.
    fn stopped(&self) -> bool;
    /// Waits until the step at `position` is no longer being executed again, or the stream has ended.
    fn wait_for(&self, position: u64);
}

/// Where a view reads.
enum Source<'r, D: Domain> {
    Versions {
        store: &'r VersionStore<D>,
        flight: &'r dyn Flight,
        /// Ids of entries reserved for this worker.
        spare: Range<u32>,
    },
    /// In a stream that executes on one thread.
    Table(Table<D>),
}

/// The state as a worker sees it while it executes a step, and the record of that execution.
///
/// While speculating, a read gives the newest effect of an earlier step, else the final value, else the base. At
/// the frontier it gives the final value. A read alone is no observation: the VM must report everything that its result
/// depends on by [`View::observe`].
pub struct View<'r, D: Domain> {
    source: Source<'r, D>,
    position: u64,
    speculative: bool,
    recording: bool,
    continued: bool,
    /// The end of the worker's last run, if that has become final as the worker executed it.
    last_end: Option<u64>,
    follows_last_run: bool,
    pub(crate) record: Record<D>,
    pub(crate) waits: u64,
    pub(crate) waited: Duration,
}

impl<D: Domain> std::fmt::Debug for View<'_, D> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("View")
            .field("position", &self.position)
            .field("speculative", &self.speculative)
            .finish_non_exhaustive()
    }
}

impl<'r, D: Domain> View<'r, D> {
    /// The view of a worker of several.
    pub(crate) fn of_versions(store: &'r VersionStore<D>, flight: &'r dyn Flight) -> Self {
        Self::new(Source::Versions { store, flight, spare: 0..0 })
    }

    /// The view of a stream that executes on one thread.
    pub(crate) fn of_table(table: Table<D>) -> Self {
        Self::new(Source::Table(table))
    }

    fn new(source: Source<'r, D>) -> Self {
        Self {
            source,
            position: 0,
            speculative: false,
            recording: false,
            continued: false,
            last_end: None,
            follows_last_run: false,
            record: Record::default(),
            waits: 0,
            waited: Duration::ZERO,
        }
    }

    /// A new view for a worker whose state is made anew.
    pub(crate) fn successor(&mut self) -> Self {
        let source = match &mut self.source {
            Source::Versions { store, flight, .. } => {
                Source::Versions { store, flight: *flight, spare: 0..0 }
            }
            Source::Table(table) => Source::Table(std::mem::take(table)),
        };
        Self { waits: self.waits, waited: self.waited, ..Self::new(source) }
    }

    /// The table that the view reads, if it reads one, and the record.
    pub(crate) fn table(&mut self) -> Option<(&mut Table<D>, &Record<D>)> {
        match &mut self.source {
            Source::Versions { .. } => None,
            Source::Table(table) => Some((table, &self.record)),
        }
    }

    /// Begins a run. `always`: whether to record observations even at the frontier.
    pub(crate) fn begin(&mut self, position: u64, speculative: bool, always: bool) {
        self.position = position;
        self.speculative = speculative;
        self.recording = speculative || always;
        self.continued = false;
        self.follows_last_run = self.last_end.take() == Some(position);
        self.record.clear();
    }

    /// Notes that the run in the record has become final, up to the step before `end`.
    pub(crate) fn end_run(&mut self, end: u64) {
        self.last_end = Some(end);
    }

    /// Goes on to the next step of a run.
    pub(crate) fn proceed(&mut self) {
        self.continued = true;
    }

    /// Whether the step being executed continues a run (see [`crate::Vm::continues`]).
    pub fn is_continued(&self) -> bool {
        self.continued
    }

    /// Whether the run being executed begins where the worker's last run ended, and that one has become final as it is: what the worker knows
    /// of the state behind it is still so.
    pub fn follows_last_run(&self) -> bool {
        self.follows_last_run
    }

    /// The position of the step being executed: its index in the stream. In a run, the position of the run's first step.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Whether earlier steps are still in flight.
    pub fn is_speculative(&self) -> bool {
        self.speculative
    }

    /// Whether observations are recorded. A result at the frontier needs no validation, so its observations are recorded only if
    /// [`crate::Vm::records_always`].
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
        key: &D::Key,
        base: impl FnOnce() -> Result<D::Value, E>,
    ) -> Result<Read<D::Value>, E> {
        let entry = self.resolve(key, base)?;
        Ok(self.read_entry(entry))
    }

    /// Whether the stream executes on one thread: each step at its turn.
    pub fn is_alone(&self) -> bool {
        matches!(self.source, Source::Table(_))
    }

    /// The value under `key`, for a step at the frontier whose reads need no record. A stream on one thread has no entry of what it only
    /// reads: it asks `base` each time.
    ///
    /// # Errors
    ///
    /// Whatever `base` returns.
    pub fn value<E>(
        &mut self,
        key: &D::Key,
        base: impl FnOnce() -> Result<D::Value, E>,
    ) -> Result<D::Value, E> {
        match &self.source {
            Source::Versions { .. } => Ok(self.read(key, base)?.value),
            Source::Table(table) => table.find(key).map_or_else(base, |entry| Ok(table.value(entry))),
        }
    }

    /// Whether the stream has an entry of `key`. Brings its value into the caches.
    pub fn knows(&self, key: &D::Key) -> bool {
        match &self.source {
            Source::Versions { store, .. } => {
                let entry = store.find(key);
                entry.is_some_and(|entry| {
                    std::hint::black_box(store.read_final(entry));
                    true
                })
            }
            Source::Table(table) => table.find(key).is_some(),
        }
    }

    /// The entry of `key`, for an effect on a value that is not read.
    ///
    /// # Errors
    ///
    /// Whatever `base` returns.
    pub fn resolve<E>(
        &mut self,
        key: &D::Key,
        base: impl FnOnce() -> Result<D::Value, E>,
    ) -> Result<EntryId, E> {
        match &mut self.source {
            Source::Versions { store, spare, .. } => store.intern(key, spare, base),
            Source::Table(table) => table.intern(key, base),
        }
    }

    /// Reads the value of an entry.
    pub fn read_entry(&mut self, entry: EntryId) -> Read<D::Value> {
        let (store, flight) = match &self.source {
            Source::Versions { store, flight, .. } => (*store, *flight),
            // Nothing is validated.
            Source::Table(table) => return Read::new(entry, (0, table.value(entry))),
        };
        if !self.speculative {
            return Read::new(entry, store.read_final(entry));
        }
        loop {
            match store.read_at(entry, self.position) {
                Found::Value { stamp, value } => return Read::new(entry, (stamp, value)),
                Found::Estimate(_) if flight.stopped() => {
                    return Read::new(entry, store.read_final(entry));
                }
                Found::Estimate(writer) => {
                    let start = Instant::now();
                    flight.wait_for(writer);
                    self.waits += 1;
                    self.waited += start.elapsed();
                }
            }
        }
    }

    /// Records that the result relies on `observation` at `seen`. It must hold of the value that was read: validation does not compare it
    /// while that version stands. For an observation that may not hold, see [`Sighting::predicted`].
    pub fn observe(&mut self, seen: Sighting, observation: D::Observation) {
        if self.recording {
            let Sighting { entry, stamp } = seen;
            self.record.observations.push(Observed { entry, stamp, observation });
        }
    }

    /// Records an effect of the step. A run may have one effect per entry, and no late effect on the same entry.
    pub fn effect(&mut self, entry: EntryId, effect: D::Effect) {
        self.record.effects.push((entry, effect));
    }

    /// Records a *late effect*: one on an entry that nearly every step changes and hardly any step reads, such as a sum of fees.
    ///
    /// Late effects are applied at the commit and never published to speculating workers, so that workers need not exchange them. A
    /// later step that relies on the entry conflicts. A run may have several late effects on one entry; they apply in this order.
    pub fn late_effect(&mut self, entry: EntryId, effect: D::Effect) {
        self.record.unpublished.push((entry, effect));
    }
}
