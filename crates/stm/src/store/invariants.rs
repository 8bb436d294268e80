//! Invariants that a model checker tests.

use super::{EntryId, VersionStore};
use crate::domain::Domain;
use crate::sync::atomic::Ordering;

impl<D: Domain> VersionStore<D> {
    /// Asserts invariant 3, given that all steps before `frontier` are final.
    pub(crate) fn assert_in_flight(&self, frontier: u64) {
        for (id, entry) in self.entries.iter() {
            let pending = self.pending(EntryId(id)).lock();
            let mut next = frontier;
            for position in pending.positions() {
                assert!(position >= next, "an effect is out of order or below the frontier");
                next = position + 1;
            }
            let in_flight = entry.in_flight().load(Ordering::SeqCst);
            assert_eq!(in_flight as usize, pending.len());
        }
    }

    /// Asserts that nothing is in flight.
    pub(crate) fn assert_quiet(&self) {
        for (id, entry) in self.entries.iter() {
            let effects = self.pending(EntryId(id)).lock().len();
            assert_eq!(effects, 0, "an effect outlived its step");
            assert_eq!(entry.in_flight().load(Ordering::SeqCst), 0);
        }
    }

    /// Asserts that nothing is stored.
    pub(crate) fn assert_empty(&self) {
        assert_eq!(self.entries.iter().count(), 0, "an entry outlived its stream");
    }
}
