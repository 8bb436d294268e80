use std::borrow::Cow;
use tandem_evm::Block;
use tandem_state::{MemoryStore, StateChanges};

/// The state before each block, where blocks of one world follow one another.
pub(crate) struct States<'w> {
    worlds: &'w [MemoryStore],
    chains: &'w [usize],
    /// The world of the block at hand, and its state before that block.
    current: Option<(usize, Cow<'w, MemoryStore>)>,
}

impl<'w> States<'w> {
    /// `chains` says which world each block belongs to.
    pub(crate) fn new(worlds: &'w [MemoryStore], chains: &'w [usize]) -> Self {
        Self { worlds, chains, current: None }
    }

    /// The state before the block with this index.
    pub(crate) fn before(&mut self, index: usize) -> &MemoryStore {
        let world = self.chains[index];
        let current = self.current.take().filter(|(last, _)| *last == world);
        let (_, state) = self.current.insert(current.unwrap_or((world, Cow::Borrowed(&self.worlds[world]))));
        state
    }

    /// Goes on to the state after this block, if a block of its world comes next.
    pub(crate) fn advance(&mut self, index: usize, block: &Block, changes: &StateChanges) {
        if self.chains.get(index + 1) != Some(&self.chains[index]) {
            self.current = None;
        } else if let Some((_, state)) = &mut self.current {
            let (state, header) = (state.to_mut(), block.header());
            changes.apply(state);
            state.set_block_hash(header.number.saturating_sub(1), header.parent_hash);
        }
    }
}
