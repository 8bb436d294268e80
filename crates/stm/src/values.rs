use crate::domain::Domain;
use crate::store::{EntryId, VersionStore};
use crate::table::Table;

/// The values left by all final steps.
pub(crate) enum Values<'a, D: Domain> {
    /// Of a stream on several threads.
    Versions(&'a VersionStore<D>),
    /// Of a stream on one thread.
    Table(&'a Table<D>),
}

impl<D: Domain> Values<'_, D> {
    /// The entry of `key`, if there is one.
    pub(crate) fn find(&self, key: &D::Key) -> Option<EntryId> {
        match self {
            Self::Versions(store) => store.find(key),
            Self::Table(table) => table.find(key),
        }
    }

    /// The key of an entry.
    pub(crate) fn key(&self, id: EntryId) -> D::Key {
        match self {
            Self::Versions(store) => store.key(id),
            Self::Table(table) => table.key(id),
        }
    }

    /// The value of an entry.
    pub(crate) fn value(&self, id: EntryId) -> D::Value {
        match self {
            Self::Versions(store) => store.read_final(id).1,
            Self::Table(table) => table.value(id),
        }
    }

    /// Brings an entry into the caches.
    pub(crate) fn prefetch(&self, id: EntryId) {
        if let Self::Versions(store) = self {
            store.prefetch(id);
        }
    }
}
