use crate::arena::Arena;
use crate::domain::Domain;
use crate::engine::StreamHandle;
use crate::vm::Vm;
use crate::window::Phase;

impl<V: Vm> StreamHandle<'_, V> {
    /// Asserts the invariants that hold at any moment of a stream.
    ///
    /// All these positions only grow, so a position that is loaded earlier can only be too small.
    pub fn assert_invariants(&self) {
        let Some(shared) = self.shared else { return };
        let next = shared.next.get();
        let fed = shared.fed.get_in_order();
        let end = shared.end.get_in_order();
        let frontier = shared.frontier.get_in_order();
        assert!(next <= fed, "step {next} was claimed, but only {fed} steps were fed");
        assert!(fed <= end, "the stream has {end} steps, but {fed} were fed");
        assert!(fed <= frontier + shared.window.len(), "more steps are in flight than fit into the window");
        assert!(frontier <= shared.fed.get_in_order(), "a step became final before it was fed");
        shared.store.assert_in_flight(frontier);
    }

    /// Asserts the invariants that hold after all workers have left a stream that came to its end.
    pub fn assert_complete(&self) {
        let Some(shared) = self.shared else { return };
        let end = shared.end.get_in_order();
        assert_eq!((shared.frontier.get_in_order(), shared.fed.get_in_order()), (end, end));
        for position in end.saturating_sub(shared.window.len())..end {
            assert_eq!(shared.window.phase(position), Phase::Vacant);
        }
        shared.store.assert_quiet();
    }
}

impl<D: Domain> Arena<D> {
    /// Asserts that streams with windows of this size have left their memory here, without contents.
    pub fn assert_returned(&self, window: usize) {
        self.store.assert_empty();
        assert_eq!(self.table.len(), 0);
        assert_eq!(self.records.len(), window);
        assert!(self.records.iter().all(|record| record.observations.is_empty()));
        assert!(self.records.iter().all(|record| record.all_effects().next().is_none()));
    }
}
