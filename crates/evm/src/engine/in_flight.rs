//! The blocks in flight.

use crate::error::{BlockId, ExecutionError};
use crate::protocol::{Block, Protocol};
use crate::state::{Base, Fault};
use parking_lot::{Mutex, RwLock};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A block on its way through the stream.
#[derive(Debug)]
pub(crate) struct Job<'s, P: Protocol> {
    pub(crate) block: Arc<Block<P>>,
    pub(crate) store: &'s Base<'s>,
    pub(crate) world: u32,
    /// The block before it in its world, if the two do not follow one another.
    pub(crate) follows: Option<BlockId>,
}

impl<P: Protocol> Job<'_, P> {
    /// The error of a block that does not follow the one before it.
    pub(crate) fn check_order(&self) -> Result<(), ExecutionError<Fault>> {
        match self.follows {
            None => Ok(()),
            Some(previous) => Err(ExecutionError::Order { block: self.block.id(), previous }),
        }
    }
}

/// The blocks in flight, by number. Steps name theirs by that number: counting references to it step by step would have all
/// cores write to one place.
#[derive(Debug)]
pub(crate) struct Jobs<'s, P: Protocol> {
    /// Of the next block. Raised by whoever feeds the stream.
    next: AtomicU64,
    /// The last block of each world.
    last: Mutex<HashMap<u32, BlockId>>,
    jobs: RwLock<HashMap<u64, Arc<Job<'s, P>>>>,
}

impl<P: Protocol> Default for Jobs<'_, P> {
    fn default() -> Self {
        Self { next: AtomicU64::new(0), last: Mutex::default(), jobs: RwLock::default() }
    }
}

impl<'s, P: Protocol> Jobs<'s, P> {
    /// Takes a block in. Gives its number.
    pub(crate) fn add(&self, mut job: Job<'s, P>) -> u64 {
        let previous = self.last.lock().insert(job.world, job.block.id());
        job.follows =
            previous.filter(|previous| previous.number.checked_add(1) != Some(job.block.id().number));
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        self.jobs.write().insert(number, Arc::new(job));
        number
    }

    /// The first block in flight.
    pub(crate) fn first(&self) -> Option<BlockId> {
        let jobs = self.jobs.read();
        jobs.iter().min_by_key(|(number, _)| **number).map(|(_, job)| job.block.id())
    }

    /// Forgets a block all steps of which are final.
    pub(crate) fn remove(&self, number: u64) {
        self.jobs.write().remove(&number);
    }
}

/// The block that one thread is at.
#[derive(Debug)]
pub(crate) struct Current<'s, P: Protocol>(Option<(u64, Arc<Job<'s, P>>)>);

impl<P: Protocol> Default for Current<'_, P> {
    fn default() -> Self {
        Self(None)
    }
}

impl<'s, P: Protocol> Current<'s, P> {
    /// The block that it is at.
    pub(crate) fn job(&self) -> Option<&Job<'s, P>> {
        self.0.as_ref().map(|(_, job)| &**job)
    }

    /// Moves on to the block of this number. Says whether it was at another one.
    pub(crate) fn at(
        &mut self,
        number: u64,
        jobs: &Jobs<'s, P>,
    ) -> Result<(&Job<'s, P>, bool), ExecutionError<Fault>> {
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
