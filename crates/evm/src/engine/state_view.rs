use super::location::{Change, EvmState, Key, Observed, Value};
use tandem_stm::{EntryId, Read, Sighting, View, Vm};

/// What the EVM needs of a worker's [`View`]. The trait keeps the type of the VM out of what executes transactions.
pub(crate) trait StateView {
    fn read<E>(&mut self, key: &Key, base: impl FnOnce() -> Result<Value, E>) -> Result<Read<Value>, E>;
    fn resolve<E>(&mut self, key: &Key, base: impl FnOnce() -> Result<Value, E>) -> Result<EntryId, E>;
    fn knows(&self, key: &Key) -> bool;
    fn position(&self) -> u64;
    fn is_continued(&self) -> bool;
    fn is_speculative(&self) -> bool;
    fn is_recording(&self) -> bool;
    fn observe(&mut self, seen: Sighting, observation: Observed);
    fn effect(&mut self, entry: EntryId, effect: Change);
    fn late_effect(&mut self, entry: EntryId, effect: Change);
}

impl<V: Vm<Domain = EvmState>> StateView for View<'_, V> {
    fn read<E>(&mut self, key: &Key, base: impl FnOnce() -> Result<Value, E>) -> Result<Read<Value>, E> {
        View::read(self, key, base)
    }

    fn resolve<E>(&mut self, key: &Key, base: impl FnOnce() -> Result<Value, E>) -> Result<EntryId, E> {
        View::resolve(self, key, base)
    }

    fn knows(&self, key: &Key) -> bool {
        View::knows(self, key)
    }

    fn position(&self) -> u64 {
        View::position(self)
    }

    fn is_continued(&self) -> bool {
        View::is_continued(self)
    }

    fn is_speculative(&self) -> bool {
        View::is_speculative(self)
    }

    fn is_recording(&self) -> bool {
        View::is_recording(self)
    }

    fn observe(&mut self, seen: Sighting, observation: Observed) {
        View::observe(self, seen, observation);
    }

    fn effect(&mut self, entry: EntryId, effect: Change) {
        View::effect(self, entry, effect);
    }

    fn late_effect(&mut self, entry: EntryId, effect: Change) {
        View::late_effect(self, entry, effect);
    }
}
