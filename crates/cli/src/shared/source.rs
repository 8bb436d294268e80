use super::progress::progress;
use rayon::prelude::*;
use std::sync::Arc;
use tandem_evm::{Block, Executor, RecoverAhead, SenderError, SignedBlock};

/// Blocks in recovery beyond the one asked for.
const AHEAD: usize = 16;

/// The blocks with their senders, recovered beforehand or ahead of execution.
pub(crate) struct Source {
    ready: Vec<Result<Arc<Block>, SenderError>>,
    pending: Option<RecoverAhead<std::vec::IntoIter<SignedBlock>>>,
}

impl Source {
    /// Recovers everything now.
    pub(crate) fn recovered(executor: &Executor, blocks: Vec<SignedBlock>, quiet: bool) -> Self {
        let bar = progress(blocks.len(), "senders", quiet);
        let recover = |block: SignedBlock| {
            let block = block.recover().map(Arc::new);
            bar.inc(1);
            block
        };
        let ready = executor.background().run(|| blocks.into_par_iter().map(recover).collect());
        bar.finish_and_clear();
        Self { ready, pending: None }
    }

    /// Recovers as blocks are asked for, some ahead.
    pub(crate) fn ahead(executor: &Executor, blocks: Vec<SignedBlock>) -> Self {
        let pending = Some(RecoverAhead::new(executor.background().clone(), blocks.into_iter(), AHEAD));
        Self { ready: Vec::new(), pending }
    }

    /// The block with this index, which must be one of those given.
    pub(crate) fn get(&mut self, index: usize) -> Result<Arc<Block>, SenderError> {
        while self.ready.len() <= index
            && let Some(block) = self.pending.as_mut().and_then(Iterator::next)
        {
            self.ready.push(block.map(Arc::new));
        }
        self.ready[index].clone()
    }
}
