//! The blocks in flight.

use crate::base::{Base, Fault};
use crate::block::{Block, BlockId};
use crate::error::ExecutionError;
use parking_lot::RwLock;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A block on its way through the stream.
#[derive(Debug)]
pub(crate) struct Job<'s> {
    pub(crate) block: Arc<Block>,
    pub(crate) store: &'s Base<'s>,
    pub(crate) world: u32,
}

/// The blocks in flight, by number. Steps name theirs by that number: counting references to it step by step would have all
/// cores write to one place.
#[derive(Debug, Default)]
pub(crate) struct Jobs<'s> {
    /// Of the next block. Raised by whoever feeds the stream.
    next: AtomicU64,
    jobs: RwLock<HashMap<u64, Arc<Job<'s>>>>,
}

impl<'s> Jobs<'s> {
    /// Takes a block in. Gives its number.
    pub(crate) fn add(&self, job: Job<'s>) -> u64 {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        self.jobs.write().insert(number, Arc::new(job));
        number
    }

    /// The first block in flight.
    pub(crate) fn first(&self) -> Option<BlockId> {
        let jobs = self.jobs.read();
        jobs.iter().min_by_key(|(number, _)| **number).map(|(_, job)| job.block.id)
    }

    /// Forgets a block all steps of which are final.
    pub(crate) fn remove(&self, number: u64) {
        self.jobs.write().remove(&number);
    }
}

/// The block that one thread is at.
#[derive(Debug, Default)]
pub(crate) struct Current<'s>(Option<(u64, Arc<Job<'s>>)>);

impl<'s> Current<'s> {
    /// The block that it is at.
    pub(crate) fn job(&self) -> Option<&Job<'s>> {
        self.0.as_ref().map(|(_, job)| &**job)
    }

    /// Moves on to the block of this number. Says whether it was at another one.
    pub(crate) fn at(
        &mut self,
        number: u64,
        jobs: &Jobs<'s>,
    ) -> Result<(&Job<'s>, bool), ExecutionError<Fault>> {
        let moved = self.0.as_ref().is_none_or(|(current, _)| *current != number);
        if moved {
            self.0 = jobs.jobs.read().get(&number).map(|job| (number, job.clone()));
        }
        match &self.0 {
            Some((_, job)) => Ok((job, moved)),
            None => Err(ExecutionError::Internal(format!("block {number} of the stream is not in flight"))),
        }
    }
}
