use super::base::{Base, Recent};
use super::options::ImportOptions;
use std::collections::VecDeque;
use tandem_state::cache::{CacheLimits, CacheStats, CachedStore, ReadCache};
use tandem_state::database::Snapshot;

/// The base of a segment: the state after the segment before it.
pub(super) struct View {
    base: Base,
    cache: ReadCache,
    /// Blocks that may not be in the base's snapshot.
    recent: VecDeque<Recent>,
}

impl View {
    pub(super) fn new(snapshot: Snapshot, options: &ImportOptions) -> Self {
        Self {
            base: Base::new(snapshot, &mut VecDeque::new()),
            cache: ReadCache::new(CacheLimits::from_bytes(options.cache_bytes)),
            recent: VecDeque::new(),
        }
    }

    /// The state, behind the cache.
    pub(super) fn store(&self) -> CachedStore<'_, Base> {
        self.cache.over(&self.base)
    }

    pub(super) fn cache_stats(&self) -> CacheStats {
        self.cache.stats()
    }

    /// Moves to the state after the blocks that were executed since, given the last commit.
    pub(super) fn advance(&mut self, executed: Vec<Recent>, snapshot: Snapshot) {
        for block in &executed {
            self.cache.apply(&block.changes);
        }
        self.recent.extend(executed);
        self.base = Base::new(snapshot, &mut self.recent);
    }
}
