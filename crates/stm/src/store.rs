#[cfg(shuttle)]
mod invariants;
mod pending;
mod queue;

use crate::cell::{Cell, Stamped};
use crate::index::Index;
use crate::slab::Slab;
use crate::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use crate::sync::{HashState, Mutex};
use crate::vm::Domain;
use pending::InFlight;
use std::hash::BuildHasher;

/// The interned identity of a key, valid for one stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EntryId(u32);

/// The stamp of a value that effects in flight contributed to: it must always be compared.
pub(crate) const UNSTABLE: u64 = u64::MAX;
/// The stamp of what was predicted: it must be compared, too, but not before its turn.
pub(crate) const PREDICTED: u64 = u64::MAX - 1;

struct Entry<D: Domain> {
    /// Written once per stream, before anybody else knows of the entry; the index publishes it.
    key: D::KeyCell,
    /// The value left by all final steps.
    value: Stamped<D::Cell>,
    /// Number of effects in `pending`. Written under its lock; read (acquire) without it, to leave the lock alone where nothing
    /// is in flight. A stale zero is a stale read, which validation catches.
    in_flight: AtomicU32,
    /// Effects of steps at or after the frontier, by position. The commit of a step changes `value` and removes
    /// its effect here under one lock, so that no reader applies it twice or not at all.
    pending: Mutex<InFlight<D>>,
    /// The segment (see [`crate::Changes`]) that last changed the value. Used by the frontier's holder alone.
    segment: AtomicU64,
}

impl<D: Domain> Default for Entry<D> {
    fn default() -> Self {
        Self {
            key: D::KeyCell::default(),
            value: Stamped::default(),
            in_flight: AtomicU32::new(0),
            pending: Mutex::new(InFlight::default()),
            segment: AtomicU64::new(0),
        }
    }
}

impl<D: Domain> Entry<D> {
    /// Takes the entry into use. To be called before anybody else knows of it.
    fn begin(&self, key: D::Key, value: D::Value) {
        self.key.store(key);
        self.value.begin(value);
        self.segment.store(0, Ordering::Relaxed);
    }
}

/// A value read at some position.
pub(crate) enum Found<T> {
    /// The value and its stamp.
    Value { stamp: u64, value: T },
    /// The step at this position wrote here and is being executed again.
    Rerunning(u64),
}

/// Per key, the final value and the effects of the steps in flight.
///
/// Invariants:
/// 1. A key has exactly one entry, identified by the whole key.
/// 2. Values change only at the frontier, in stream order.
/// 3. An entry's effects in flight belong to distinct positions, none below the frontier.
pub(crate) struct VersionStore<D: Domain> {
    index: Index,
    entries: Slab<Entry<D>>,
    hasher: HashState,
}

impl<D: Domain> Default for VersionStore<D> {
    fn default() -> Self {
        Self { index: Index::default(), entries: Slab::default(), hasher: HashState::default() }
    }
}

impl<D: Domain> VersionStore<D> {
    /// The entry of `key`; made with the value that `base` gives if there is none.
    pub(crate) fn intern<E>(
        &self,
        key: &D::Key,
        base: impl FnOnce() -> Result<D::Value, E>,
    ) -> Result<EntryId, E> {
        let hash = self.hasher.hash_one(key);
        let is_key = |id: u32| self.entries.get(id).key.load() == *key;
        if let Some(id) = self.index.get(hash, is_key) {
            return Ok(EntryId(id));
        }
        let value = base()?;
        let insert = || {
            let (id, entry) = self.entries.add();
            entry.begin(*key, value);
            id
        };
        Ok(EntryId(self.index.get_or_insert(hash, is_key, insert)))
    }

    /// Forgets everything, memory kept. `complete`: whether all steps became final, so that nothing is in flight.
    pub(crate) fn clear(&mut self, complete: bool) {
        if !complete {
            for entry in self.entries.iter() {
                *entry.pending.lock() = InFlight::default();
                entry.in_flight.store(0, Ordering::Relaxed);
            }
        }
        self.entries.clear();
        self.index.clear();
    }

    fn entry(&self, id: EntryId) -> &Entry<D> {
        self.entries.get(id.0)
    }

    /// The key of an entry.
    pub(crate) fn key(&self, id: EntryId) -> D::Key {
        self.entry(id).key.load()
    }

    /// The value left by all final steps, with its stamp.
    pub(crate) fn read_final(&self, id: EntryId) -> (u64, D::Value) {
        self.entry(id).value.load()
    }

    /// The stamp of the final value.
    pub(crate) fn stamp(&self, id: EntryId) -> u64 {
        self.entry(id).value.stamp()
    }

    /// The value as the step at `position` should see it: the final one with the effects of all earlier steps in
    /// flight.
    pub(crate) fn read_at(&self, id: EntryId, position: u64) -> Found<D::Value> {
        let entry = self.entry(id);
        if entry.in_flight.load(Ordering::Acquire) == 0 {
            let (stamp, value) = entry.value.load();
            return Found::Value { stamp, value };
        }
        let mut pending = entry.pending.lock();
        let (stamp, value) = entry.value.load();
        match pending.before(position, (stamp, value)) {
            Ok(None) => Found::Value { stamp, value },
            Ok(Some(value)) => Found::Value { stamp: UNSTABLE, value },
            Err(rerunning) => Found::Rerunning(rerunning),
        }
    }

    /// Makes a speculative result visible to later steps, in place of what the step's earlier incarnation did. Gives the
    /// most effects that are in flight on one of its entries.
    pub(crate) fn publish(
        &self,
        position: u64,
        incarnation: u32,
        effects: &[(EntryId, D::Effect)],
        replaced: &[(EntryId, D::Effect)],
    ) -> usize {
        let mut most = 0;
        for (id, effect) in effects {
            let entry = self.entry(*id);
            let mut pending = entry.pending.lock();
            pending.put(position, incarnation, *effect, entry.value.load().1);
            most = most.max(pending.len());
            entry.in_flight.store(pending.len() as u32, Ordering::Release);
        }
        self.retract(position, incarnation, replaced);
        most
    }

    /// Removes a step's effects that belong to an incarnation before `incarnation`.
    pub(crate) fn retract(&self, position: u64, incarnation: u32, effects: &[(EntryId, D::Effect)]) {
        for (id, _) in effects {
            let entry = self.entry(*id);
            let mut pending = entry.pending.lock();
            pending.remove(position, incarnation);
            entry.in_flight.store(pending.len() as u32, Ordering::Release);
        }
    }

    /// Notes that the step with these effects is being executed again: whoever reads one of them should wait.
    pub(crate) fn rerun(&self, position: u64, effects: &[(EntryId, D::Effect)]) {
        for (id, _) in effects {
            self.entry(*id).pending.lock().rerun(position);
        }
    }

    /// Makes an effect final and takes it from those in flight. Only the frontier's holder may call this.
    ///
    /// Returns the value before, if this is the entry's first change in `segment`.
    pub(crate) fn commit(
        &self,
        id: EntryId,
        position: u64,
        effect: &D::Effect,
        segment: u64,
    ) -> Option<D::Value> {
        let entry = self.entry(id);
        if entry.in_flight.load(Ordering::Acquire) == 0 {
            return Self::apply(entry, position, effect, segment);
        }
        let mut pending = entry.pending.lock();
        let before = Self::apply(entry, position, effect, segment);
        pending.commit(position, entry.value.load());
        entry.in_flight.store(pending.len() as u32, Ordering::Release);
        before
    }

    fn apply(entry: &Entry<D>, position: u64, effect: &D::Effect, segment: u64) -> Option<D::Value> {
        let (_, before) = entry.value.load();
        let mut value = before;
        D::apply(effect, &mut value);
        if value == before {
            return None;
        }
        entry.value.store(position + 1, value);
        if entry.segment.load(Ordering::Relaxed) == segment {
            return None;
        }
        entry.segment.store(segment, Ordering::Relaxed);
        Some(before)
    }
}
