use crate::domain::Domain;
use crate::store::EntryId;

/// The changes of the present segment so far.
pub(crate) struct Segment<D: Domain> {
    /// Starts at 1. Entries that never changed have 0.
    pub(crate) number: u64,
    /// Each changed entry once, with its value before.
    pub(crate) first_values: Vec<(EntryId, D::Value)>,
}

impl<D: Domain> Default for Segment<D> {
    fn default() -> Self {
        Self { number: 1, first_values: Vec::new() }
    }
}
