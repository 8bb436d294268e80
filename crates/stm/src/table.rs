use crate::domain::Domain;
use crate::record::Record;
use crate::segment::Segment;
use crate::store::EntryId;
use crate::sync::HashState;
use hashbrown::HashTable;
use std::hash::BuildHasher;

/// A key that the stream has met, and its value.
struct Entry<D: Domain> {
    key: D::Key,
    value: D::Value,
    /// The segment (see [`crate::Changes`]) that last changed the value.
    segment: u64,
}

/// Per key, the value left by all steps so far: the state of a stream that executes on one thread, where nothing is in flight.
pub(crate) struct Table<D: Domain> {
    entries: Vec<Entry<D>>,
    /// Places in `entries`, by key.
    index: HashTable<Place>,
    hasher: HashState,
}

/// The place of an entry, with the hash of its key: neither growing nor most searches need the entry itself.
#[derive(Clone, Copy)]
struct Place {
    hash: u64,
    at: u32,
}

impl<D: Domain> Default for Table<D> {
    fn default() -> Self {
        Self { entries: Vec::new(), index: HashTable::new(), hasher: HashState::default() }
    }
}

impl<D: Domain> Table<D> {
    /// The entry of `key`, if there is one.
    pub(crate) fn find(&self, key: &D::Key) -> Option<EntryId> {
        if self.entries.is_empty() {
            return None;
        }
        let hash = self.hasher.hash_one(key);
        let is_key = |place: &Place| place.hash == hash && self.entries[place.at as usize].key == *key;
        self.index.find(hash, is_key).map(|place| EntryId(place.at))
    }

    /// The entry of `key`. If there is none, makes one with the value that `base` gives.
    pub(crate) fn intern<E>(
        &mut self,
        key: &D::Key,
        base: impl FnOnce() -> Result<D::Value, E>,
    ) -> Result<EntryId, E> {
        let Self { entries, index, hasher } = self;
        let hash = hasher.hash_one(key);
        let is_key = |place: &Place| place.hash == hash && entries[place.at as usize].key == *key;
        if let Some(place) = index.find(hash, is_key) {
            return Ok(EntryId(place.at));
        }
        let value = base()?;
        let at = u32::try_from(entries.len()).expect("a stream meets fewer keys than that");
        entries.push(Entry { key: *key, value, segment: 0 });
        index.insert_unique(hash, Place { hash, at }, |place| place.hash);
        Ok(EntryId(at))
    }

    /// The key of an entry.
    pub(crate) fn key(&self, id: EntryId) -> D::Key {
        self.entries[id.0 as usize].key
    }

    /// The value of an entry.
    pub(crate) fn value(&self, id: EntryId) -> D::Value {
        self.entries[id.0 as usize].value
    }

    /// Applies the effects of a step or a run.
    pub(crate) fn commit(&mut self, record: &Record<D>, segment: &mut Segment<D>) {
        for (id, effect) in record.all_effects() {
            let entry = &mut self.entries[id.0 as usize];
            let before = entry.value;
            if D::apply(effect, &mut entry.value) && entry.segment != segment.number {
                entry.segment = segment.number;
                segment.first_values.push((*id, before));
            }
        }
    }

    /// Number of entries.
    #[cfg(shuttle)]
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// The values that steps have changed, with their keys.
    pub(crate) fn changed(&self) -> impl Iterator<Item = (D::Key, D::Value)> {
        let changed = self.entries.iter().filter(|entry| entry.segment != 0);
        changed.map(|entry| (entry.key, entry.value))
    }

    /// Memory of what is stored, in bytes.
    pub(crate) fn used(&self) -> usize {
        self.entries.len() * (size_of::<Entry<D>>() + size_of::<[Place; 2]>())
    }

    /// Removes all entries and keeps the memory.
    pub(crate) fn clear(&mut self) {
        self.entries.clear();
        self.index.clear();
    }

    /// Frees about half of the memory. `false` if no more can be freed. To be called after [`Table::clear`].
    pub(crate) fn shrink(&mut self) -> bool {
        let before = self.bytes();
        self.entries.shrink_to(self.entries.capacity() / 2);
        self.index.shrink_to(self.index.capacity() / 2, |place| place.hash);
        self.bytes() < before
    }

    /// Memory, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.entries.capacity() * size_of::<Entry<D>>() + self.index.allocation_size()
    }
}
