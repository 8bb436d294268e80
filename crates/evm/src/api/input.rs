use crate::engine::in_flight::Job;
use crate::protocol::{Block, Protocol};
use revm::database_interface::DatabaseRef;
use std::sync::Arc;

/// A block together with the state it is executed on.
#[derive(Debug)]
pub struct BlockInput<'s, S, P: Protocol> {
    /// The block.
    pub block: Arc<Block<P>>,
    /// The state before the first block of this world.
    pub store: &'s S,
    /// Blocks of one world follow one another, number by number: each is executed on the state that the earlier ones left. Blocks of
    /// different worlds have nothing to do with each other, but share the stream.
    pub world: u32,
}

impl<'s, S, P: Protocol> BlockInput<'s, S, P> {
    /// A block of the only world there is.
    pub fn new(block: Block<P>, store: &'s S) -> Self {
        Self { block: Arc::new(block), store, world: 0 }
    }
}

impl<'s, S: DatabaseRef + Sync, P: Protocol> From<BlockInput<'s, S, P>> for Job<'s, P> {
    fn from(input: BlockInput<'s, S, P>) -> Self {
        let BlockInput { block, store, world } = input;
        Self { block, store, world, follows: None }
    }
}
