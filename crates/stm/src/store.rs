#[cfg(shuttle)]
mod invariants;
mod pending;
mod queue;

use crate::cell::{Cell, Stamped};
use crate::domain::Domain;
use crate::index::Index;
use crate::slab::Slab;
use crate::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};
use crate::sync::{HashState, MODEL, Mutex};
use pending::InFlight;
use std::hash::BuildHasher;
use std::ops::Range;

/// The interned identity of a key, valid for one stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EntryId(pub(crate) u32);

/// The stamp of a value that effects in flight contributed to. Validation always compares the value.
pub(crate) const UNSTABLE: u64 = u64::MAX;
/// The stamp of a predicted observation. Validation at the turn always compares the value; early checks do not.
pub(crate) const PREDICTED: u64 = u64::MAX - 1;

/// The part of an entry that every step on it touches, in as few cache lines as possible: most entries are touched once, by one cache miss
/// per line.
#[repr(C, align(64))]
struct Entry<D: Domain> {
    /// Written once per stream, before the index publishes the entry's id.
    key: D::KeyCell,
    /// Lowest bit: whether the entry [has caused a conflict](VersionStore::has_conflicted), a hint. Other bits: the segment (see
    /// [`crate::Changes`]) that last changed the value. Written by the frontier's holder alone; other workers read the hint.
    segment: AtomicU64,
    /// The value left by all final steps. Its `aux` is the number of effects in flight: written under their lock, read (acquire) without
    /// it, so that a reader takes the lock only if something is in flight. A stale zero causes a stale read, which validation catches.
    value: Stamped<D::Cell>,
}

impl<D: Domain> Default for Entry<D> {
    fn default() -> Self {
        Self { key: D::KeyCell::default(), segment: AtomicU64::new(0), value: Stamped::default() }
    }
}

impl<D: Domain> Entry<D> {
    /// Initializes the entry. To be called before the index publishes its id.
    fn begin(&self, key: D::Key, value: D::Value) {
        self.key.store(key);
        self.value.begin(value);
        self.segment.store(0, Ordering::Relaxed);
    }

    /// Brings the entry into the caches.
    fn prefetch(&self) {
        std::hint::black_box((self.key.load(), self.segment.load(Ordering::Relaxed)));
    }

    /// The segment that last changed the value, and whether the entry has caused a conflict.
    fn segment(&self) -> (u64, bool) {
        let segment = self.segment.load(Ordering::Relaxed);
        (segment >> 1, segment & 1 != 0)
    }

    fn set_segment(&self, segment: u64, conflicted: bool) {
        self.segment.store(segment << 1 | u64::from(conflicted), Ordering::Relaxed);
    }

    /// Number of effects in flight.
    fn in_flight(&self) -> &AtomicU32 {
        &self.value.aux
    }
}

/// The effects in flight of one entry.
struct Pending<D: Domain>(Mutex<InFlight<D>>);

impl<D: Domain> Default for Pending<D> {
    fn default() -> Self {
        Self(Mutex::new(InFlight::default()))
    }
}

/// A value read at some position.
pub(crate) enum Found<T> {
    /// The value and its stamp.
    Value { stamp: u64, value: T },
    /// The step at this position has an effect here and is being executed again: its effect is an estimate.
    Estimate(u64),
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
    /// By the ids of `entries`. A commit changes the entry's value and removes the effect here under one lock, so that no reader applies
    /// the effect twice or not at all.
    pending: Slab<Pending<D>>,
    /// Heap memory of the items of `pending`, in bytes. Raised by any thread.
    queued: AtomicUsize,
    hasher: HashState,
}

impl<D: Domain> Default for VersionStore<D> {
    fn default() -> Self {
        Self {
            index: Index::default(),
            entries: Slab::default(),
            pending: Slab::default(),
            queued: AtomicUsize::new(0),
            hasher: HashState::default(),
        }
    }
}

impl<D: Domain> VersionStore<D> {
    /// The entry of `key`, if there is one.
    pub(crate) fn find(&self, key: &D::Key) -> Option<EntryId> {
        self.index.get(self.hasher.hash_one(key), |id| self.entries.get(id).key.load() == *key).map(EntryId)
    }

    /// The entry of `key`. If there is none, makes one from an id in `spare` with the value that `base` gives. `spare` is the caller's
    /// reserve of ids, empty at first.
    pub(crate) fn intern<E>(
        &self,
        key: &D::Key,
        spare: &mut Range<u32>,
        base: impl FnOnce() -> Result<D::Value, E>,
    ) -> Result<EntryId, E> {
        let hash = self.hasher.hash_one(key);
        let is_key = |id: u32| self.entries.get(id).key.load() == *key;
        if let Some(id) = self.index.get(hash, is_key) {
            return Ok(EntryId(id));
        }
        let value = base()?;
        let insert = || {
            if spare.start == spare.end {
                *spare = self.entries.reserve();
                // Prefetched together, so that the cache misses overlap. A model has no caches.
                if !MODEL {
                    spare.clone().for_each(|id| self.entries.get_or_make(id).prefetch());
                }
            }
            let id = spare.start;
            spare.start += 1;
            self.pending.get_or_make(id);
            self.entries.get_or_make(id).begin(*key, value);
            id
        };
        Ok(EntryId(self.index.get_or_insert(hash, is_key, insert)))
    }

    /// Removes all entries and keeps the memory. `complete`: whether all steps became final, so that nothing is in flight.
    pub(crate) fn clear(&mut self, complete: bool) {
        if !complete {
            for (id, entry) in self.entries.iter() {
                if entry.in_flight().swap(0, Ordering::Relaxed) > 0 {
                    *self.pending(EntryId(id)).lock() = InFlight::default();
                }
            }
        }
        self.forget();
        self.index.free_old();
    }

    /// Removes all entries and keeps the memory. To be called when all steps are final and no other thread uses the store.
    pub(crate) fn forget(&self) {
        self.entries.clear();
        self.index.clear();
    }

    /// The values that steps have changed, with their keys. To be called when all steps are final and no other thread uses the store.
    pub(crate) fn changed(&self) -> impl Iterator<Item = (D::Key, D::Value)> {
        let entries = self.index.ids().map(|id| self.entries.get(id));
        entries.filter(|entry| entry.segment().0 != 0).map(|entry| (entry.key.load(), entry.value.load().1))
    }

    /// Memory of what is stored, in bytes, without effects in flight. Zero after [`VersionStore::forget`].
    pub(crate) fn used(&self) -> usize {
        let entry = size_of::<Entry<D>>() + size_of::<Pending<D>>() + size_of::<[u64; 4]>();
        self.entries.len() * entry
    }

    /// Memory, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.index.bytes() + self.entries.bytes() + self.pending.bytes() + self.queued.load(Ordering::Relaxed)
    }

    /// Frees about half of the memory. `false` if no more can be freed. To be called after [`VersionStore::clear`].
    pub(crate) fn shrink(&mut self) -> bool {
        if self.queued.swap(0, Ordering::Relaxed) > 0 {
            self.pending = Slab::default();
            return true;
        }
        self.index.shrink() | self.entries.shrink() | self.pending.shrink()
    }

    fn entry(&self, id: EntryId) -> &Entry<D> {
        self.entries.get(id.0)
    }

    fn pending(&self, id: EntryId) -> &Mutex<InFlight<D>> {
        &self.pending.get(id.0).0
    }

    /// The key of an entry.
    pub(crate) fn key(&self, id: EntryId) -> D::Key {
        self.entry(id).key.load()
    }

    /// Brings an entry into the caches.
    pub(crate) fn prefetch(&self, id: EntryId) {
        let entry = self.entry(id);
        entry.prefetch();
        std::hint::black_box(entry.value.stamp());
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
        if entry.in_flight().load(Ordering::Acquire) == 0 {
            let (stamp, value) = entry.value.load();
            return Found::Value { stamp, value };
        }
        let mut pending = self.pending(id).lock();
        let (stamp, value) = entry.value.load();
        match pending.before(position, (stamp, value)) {
            Ok(None) => Found::Value { stamp, value },
            Ok(Some(value)) => Found::Value { stamp: UNSTABLE, value },
            Err(writer) => Found::Estimate(writer),
        }
    }

    /// Whether a step has conflicted over this entry: it missed an effect in flight, or read an outdated one.
    pub(crate) fn has_conflicted(&self, id: EntryId) -> bool {
        self.entry(id).segment().1
    }

    /// Marks an entry that caused a conflict. Only the frontier's holder may call this.
    pub(crate) fn mark_conflicted(&self, id: EntryId) {
        let entry = self.entry(id);
        entry.set_segment(entry.segment().0, true);
    }

    /// Publishes a speculative result to later steps, in place of the effects of the step's earlier incarnation (`replaced`). Gives the
    /// largest number of effects in flight on one of its entries.
    pub(crate) fn publish(
        &self,
        position: u64,
        incarnation: u32,
        effects: &[(EntryId, D::Effect)],
        replaced: &[(EntryId, D::Effect)],
    ) -> usize {
        let (mut most, mut queued) = (0, 0);
        for (id, effect) in effects {
            let entry = self.entry(*id);
            let mut pending = self.pending(*id).lock();
            let before = pending.bytes();
            pending.put(position, incarnation, *effect, entry.value.load().1);
            queued += pending.bytes() - before;
            most = most.max(pending.len());
            entry.in_flight().store(pending.len() as u32, Ordering::Release);
        }
        if queued > 0 {
            self.queued.fetch_add(queued, Ordering::Relaxed);
        }
        self.retract(position, incarnation, replaced);
        most
    }

    /// Removes those of a step's published effects that belong to an incarnation before `incarnation`.
    pub(crate) fn retract(&self, position: u64, incarnation: u32, effects: &[(EntryId, D::Effect)]) {
        for (id, _) in effects {
            let entry = self.entry(*id);
            let mut pending = self.pending(*id).lock();
            pending.remove(position, incarnation);
            entry.in_flight().store(pending.len() as u32, Ordering::Release);
        }
    }

    /// Marks the published effects of a step that is being executed again as estimates: a worker that reads one waits.
    pub(crate) fn mark_estimates(&self, position: u64, effects: &[(EntryId, D::Effect)]) {
        for (id, _) in effects {
            self.pending(*id).lock().mark_estimate(position);
        }
    }

    /// Applies an effect to the final value and removes it from those in flight. Only the frontier's holder may call this.
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
        if entry.in_flight().load(Ordering::Acquire) == 0 {
            return Self::apply(entry, effect, segment);
        }
        let mut pending = self.pending(id).lock();
        let before = Self::apply(entry, effect, segment);
        pending.commit(position, entry.value.load());
        entry.in_flight().store(pending.len() as u32, Ordering::Release);
        before
    }

    fn apply(entry: &Entry<D>, effect: &D::Effect, segment: u64) -> Option<D::Value> {
        let (_, mut value) = entry.value.load();
        let (last, conflicted) = entry.segment();
        let first = last != segment;
        let before = first.then_some(value);
        if !D::apply(effect, &mut value) {
            return None;
        }
        entry.value.store(value);
        if first {
            entry.set_segment(segment, conflicted);
        }
        before
    }
}
