use crate::store::VersionStore;
use crate::vm::Domain;
use crate::window::Record;

/// Memory that streams hand on to one another: tables and buffers, without contents.
///
/// Keep one and pass it to each [`crate::Engine::run`]; a stream that starts with an empty one is slower to start.
pub struct Arena<D: Domain> {
    pub(crate) store: VersionStore<D>,
    pub(crate) records: Vec<Record<D>>,
}

impl<D: Domain> Default for Arena<D> {
    fn default() -> Self {
        Self { store: VersionStore::default(), records: Vec::new() }
    }
}

impl<D: Domain> std::fmt::Debug for Arena<D> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Arena").field("records", &self.records.len()).finish_non_exhaustive()
    }
}
