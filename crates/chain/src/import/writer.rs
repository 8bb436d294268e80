use super::error::ImportError;
use super::report::Stages;
use super::roots::{Done, Pending};
use crossbeam_channel::Receiver;
use parking_lot::Mutex;
use tandem_state::database::{Database, Snapshot};

/// The database's content.
#[derive(Clone, Debug)]
pub(super) struct Committed {
    /// The last epoch of the tries that is; zero for none of this import.
    pub(super) epoch: u64,
    /// The database after the last commit.
    pub(super) snapshot: Snapshot,
    /// The additions of this import.
    pub(super) done: Done,
}

/// Commits batches, and tells all other stages how far it is.
pub(super) struct Writer<'a> {
    database: &'a Database,
    stages: &'a Stages,
    committed: Mutex<Committed>,
}

impl<'a> Writer<'a> {
    pub(super) fn new(database: &'a Database, snapshot: Snapshot, stages: &'a Stages) -> Self {
        let committed = Committed { epoch: 0, snapshot, done: Done::default() };
        Self { database, stages, committed: Mutex::new(committed) }
    }

    /// The last commit.
    pub(super) fn committed(&self) -> Committed {
        self.committed.lock().clone()
    }

    pub(super) fn commit(&self, pending: &Pending) -> Result<(), ImportError> {
        let snapshot = self.stages.commit.time(|| {
            let stats = self.database.commit(&pending.batch)?;
            self.stages.flush.add(stats.write);
            self.database.snapshot()
        })?;
        let mut committed = self.committed.lock();
        (committed.epoch, committed.snapshot) = (pending.epoch, snapshot);
        for block in &pending.batch.blocks {
            committed.done.add(block);
        }
        Ok(())
    }

    /// Commits whatever comes, to the end or the first failure.
    pub(super) fn run(&self, batches: &Receiver<Pending>) -> Result<(), ImportError> {
        batches.iter().try_for_each(|pending| self.commit(&pending))
    }
}
