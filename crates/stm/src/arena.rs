use crate::domain::Domain;
use crate::groups::Groups;
use crate::record::Record;
use crate::store::VersionStore;

/// What streams hand on to one another: the memory of tables and buffers, without contents; and what was learned about which
/// steps conflict.
///
/// Keep one and pass it to each [`crate::Engine::run`]; a stream that starts with an empty one is slower to start.
pub struct Arena<D: Domain> {
    pub(crate) store: VersionStore<D>,
    pub(crate) records: Vec<Record<D>>,
    pub(crate) groups: Groups,
}

impl<D: Domain> Default for Arena<D> {
    fn default() -> Self {
        Self { store: VersionStore::default(), records: Vec::new(), groups: Groups::default() }
    }
}

impl<D: Domain> Arena<D> {
    /// Memory of its tables and buffers, in bytes.
    pub fn bytes(&self) -> usize {
        self.store.bytes() + self.records.iter().map(Record::bytes).sum::<usize>()
    }

    /// Gives memory back until no more than so many bytes are left, or what every stream needs.
    pub fn shrink_to(&mut self, bytes: usize) {
        while self.bytes() > bytes {
            if !self.store.shrink() {
                self.records = Vec::new();
                break;
            }
        }
    }
}

impl<D: Domain> std::fmt::Debug for Arena<D> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Arena").field("records", &self.records.len()).finish_non_exhaustive()
    }
}
