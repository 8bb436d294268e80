use crate::conflict_class::ConflictClasses;
use crate::domain::Domain;
use crate::record::Record;
use crate::store::VersionStore;
use crate::table::Table;

/// Passed from stream to stream: the memory of tables and buffers, without contents, and the scores of conflict classes.
///
/// Keep an arena and pass it to each [`crate::Engine::stream`]; a stream that starts with an empty one is slower to start.
pub struct Arena<D: Domain> {
    pub(crate) store: VersionStore<D>,
    pub(crate) table: Table<D>,
    pub(crate) records: Vec<Record<D>>,
    pub(crate) classes: ConflictClasses,
}

impl<D: Domain> Default for Arena<D> {
    fn default() -> Self {
        Self {
            store: VersionStore::default(),
            table: Table::default(),
            records: Vec::new(),
            classes: ConflictClasses::default(),
        }
    }
}

impl<D: Domain> Arena<D> {
    /// Memory of its tables and buffers, in bytes.
    pub fn bytes(&self) -> usize {
        self.store.bytes() + self.table.bytes() + self.records.iter().map(Record::bytes).sum::<usize>()
    }

    /// Frees memory until at most so many bytes are left, or the minimum that every stream needs.
    pub fn shrink_to(&mut self, bytes: usize) {
        while self.bytes() > bytes {
            if !(self.store.shrink() | self.table.shrink()) {
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
