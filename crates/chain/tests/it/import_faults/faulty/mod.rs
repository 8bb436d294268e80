//! A storage in memory that fails on demand.

use std::collections::BTreeSet;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

/// A fault from the n-th operation on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Everything fails, for good.
    Everything,
    /// One operation fails; later ones work.
    Once,
    /// Writes fail, and so does growing.
    Writes,
    /// Syncing fails.
    Syncs,
    /// Reads end too early.
    ShortReads,
    /// The storage can grow no more, nor fill the holes that it has.
    NoSpace,
}

/// The storage. Clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Disk(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// The bytes that a reader sees.
    live: Vec<u8>,
    /// The bytes that a power cut leaves.
    durable: Vec<u8>,
    /// Blocks of [`BLOCK`] bytes that have a place on the medium. The rest are holes: it is there, but nothing was written.
    allocated: BTreeSet<usize>,
    /// Blocks that were written since the last sync.
    unsynced: BTreeSet<usize>,
    /// Operations since the last call of [`Disk::fail_at`].
    operations: u64,
    /// The operation from which on there is a fault.
    fault: Option<(u64, Fault)>,
    struck: bool,
}

const BLOCK: usize = 4096;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Operation {
    Read,
    Write,
    /// A write into a hole.
    Fill,
    Grow,
    Sync,
    Other,
}

impl Disk {
    /// A storage with these bytes, safely stored.
    pub(crate) fn new(bytes: Vec<u8>) -> Self {
        let blocks = bytes.chunks(BLOCK).enumerate();
        let allocated =
            blocks.filter(|(_, block)| block.iter().any(|byte| *byte != 0)).map(|(at, _)| at).collect();
        let durable = bytes.clone();
        Self(Arc::new(Mutex::new(State { durable, live: bytes, allocated, ..State::default() })))
    }

    /// Lets a fault strike at the n-th operation from now, counted from 0.
    pub(crate) fn fail_at(&self, n: u64, fault: Fault) {
        let mut state = self.state();
        (state.operations, state.fault) = (0, Some((n, fault)));
    }

    /// Takes the fault away. Returns whether it has struck.
    pub(crate) fn heal(&self) -> bool {
        let mut state = self.state();
        state.fault = None;
        state.struck
    }

    /// Operations since the fault was set.
    pub(crate) fn operations(&self) -> u64 {
        self.state().operations
    }

    /// The bytes that the end of a process leaves.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.state().live.clone()
    }

    /// The least that a power cut leaves.
    pub(crate) fn durable_bytes(&self) -> Vec<u8> {
        self.state().durable.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    fn begin(&self, operation: Operation) -> io::Result<MutexGuard<'_, State>> {
        let mut state = self.state();
        let n = state.operations;
        state.operations += 1;
        let Some((at, fault)) = state.fault else { return Ok(state) };
        let is_due = if fault == Fault::Once { n == at } else { n >= at };
        let error = match (fault, operation) {
            _ if !is_due => return Ok(state),
            (Fault::Everything | Fault::Once, _) => io::Error::other("the medium does not answer"),
            (Fault::Writes, Operation::Write | Operation::Fill | Operation::Grow) => {
                io::Error::other("the medium takes no more")
            }
            (Fault::Syncs, Operation::Sync) => io::Error::other("the medium lost something"),
            (Fault::ShortReads, Operation::Read) => io::ErrorKind::UnexpectedEof.into(),
            (Fault::NoSpace, Operation::Grow | Operation::Fill) => io::ErrorKind::StorageFull.into(),
            _ => return Ok(state),
        };
        state.struck = true;
        Err(error)
    }
}

impl redb::StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        Ok(self.begin(Operation::Other)?.live.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let state = self.begin(Operation::Read)?;
        let start = offset as usize;
        let bytes = state.live.get(start..start + out.len()).ok_or(io::ErrorKind::UnexpectedEof)?;
        out.copy_from_slice(bytes);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let grows = len > self.state().live.len() as u64;
        let mut state = self.begin(if grows { Operation::Grow } else { Operation::Other })?;
        let len = len as usize;
        state.live.resize(len, 0);
        state.unsynced.retain(|block| block * BLOCK < len);
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut state = self.begin(Operation::Sync)?;
        let State { live, durable, unsynced, .. } = &mut *state;
        durable.resize(live.len(), 0);
        for block in std::mem::take(unsynced) {
            let place = block * BLOCK..((block + 1) * BLOCK).min(live.len());
            durable[place.clone()].copy_from_slice(&live[place]);
        }
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let start = offset as usize;
        let blocks = start / BLOCK..(start + data.len()).div_ceil(BLOCK);
        let fills = blocks.clone().any(|block| !self.state().allocated.contains(&block));
        let mut state = self.begin(if fills { Operation::Fill } else { Operation::Write })?;
        state.unsynced.extend(blocks.clone());
        state.allocated.extend(blocks);
        let place = state.live.get_mut(start..start + data.len()).ok_or(io::ErrorKind::InvalidInput)?;
        place.copy_from_slice(data);
        Ok(())
    }
}
