use super::{Assembly, Block, Executed, Protocol};
use crate::error::ExecutionError;
use crate::state::Fault;

impl<P: Protocol> Default for Assembly<P> {
    fn default() -> Self {
        Self { receipts: Vec::new(), gas_used: 0, summary: P::Summary::default() }
    }
}

impl<P: Protocol> Assembly<P> {
    /// Adds a transaction that is final.
    pub(crate) fn add(
        &mut self,
        block: &Block<P>,
        index: usize,
        executed: Executed,
    ) -> Result<(), ExecutionError<Fault>> {
        if self.receipts.is_empty() {
            self.receipts.reserve_exact(block.transaction_count());
        }
        let protocol = &**block.protocol();
        let added = protocol.admit(block, index, self.gas_used).and_then(|()| {
            self.gas_used += executed.gas_used;
            protocol.add_transaction(block, index, executed, self)
        });
        added.map_err(|error| ExecutionError::Block { block: block.id(), error })
    }

    /// Adds what the last step yields.
    pub(crate) fn end(&mut self, block: &Block<P>, end: P::End) -> Result<(), ExecutionError<Fault>> {
        let ended = block.protocol().add_end(block, end, self);
        ended.map_err(|error| ExecutionError::Block { block: block.id(), error })
    }
}
