use super::rng::Rng;
use std::{
    io,
    sync::{Arc, Mutex, MutexGuard},
};

/// A storage in memory that fails on demand and knows the bytes that would survive a power cut. Clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Disk(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// The bytes that a reader sees.
    live: Vec<u8>,
    /// The bytes that are on the medium for sure.
    durable: Vec<u8>,
    /// Changes since the last sync, in order.
    unsynced: Vec<Change>,
    /// Operations since the fault was set.
    operations: u64,
    fault: Option<(u64, Fault)>,
    /// Whether the fault has struck.
    struck: bool,
}

#[derive(Clone, Debug)]
enum Change {
    Write(u64, Vec<u8>),
    SetLen(u64),
}

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
    /// The storage can grow no more, and new bytes cannot be written.
    NoSpace,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Operation {
    Read,
    Write,
    Grow,
    Sync,
    Other,
}

impl Disk {
    /// A storage with these bytes, safely stored.
    pub(crate) fn new(bytes: Vec<u8>) -> Self {
        Self(Arc::new(Mutex::new(State { durable: bytes.clone(), live: bytes, ..State::default() })))
    }

    /// Lets `fault` strike at the n-th operation from now, counted from 0.
    pub(crate) fn fail_at(&self, n: u64, fault: Fault) {
        let mut state = self.state();
        state.operations = 0;
        state.fault = Some((n, fault));
    }

    pub(crate) fn struck(&self) -> bool {
        self.state().struck
    }

    /// The bytes that a reader sees.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.state().live.clone()
    }

    /// The bytes left after a power cut: all synced ones, and of the rest those that `rng` chooses, sector by sector.
    pub(crate) fn bytes_after_power_cut(&self, rng: &mut Rng, keep_percent: u64) -> Vec<u8> {
        const SECTOR: usize = 512;
        let state = self.state();
        let mut bytes = state.durable.clone();
        for change in &state.unsynced {
            match change {
                Change::SetLen(len) if rng.percent(keep_percent) => bytes.resize(*len as usize, 0),
                Change::SetLen(_) => {}
                Change::Write(offset, data) => {
                    for (index, sector) in data.chunks(SECTOR).enumerate() {
                        let start = *offset as usize + index * SECTOR;
                        if rng.percent(keep_percent) && start + sector.len() <= bytes.len() {
                            bytes[start..start + sector.len()].copy_from_slice(sector);
                        }
                    }
                }
            }
        }
        bytes
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    fn begin(&self, operation: Operation) -> io::Result<MutexGuard<'_, State>> {
        let mut state = self.state();
        let n = state.operations;
        state.operations += 1;
        let Some((at, fault)) = state.fault else { return Ok(state) };
        let due = if fault == Fault::Once { n == at } else { n >= at };
        let error = match fault {
            _ if !due => None,
            Fault::Everything | Fault::Once => Some(io::Error::other("the medium does not answer")),
            Fault::Writes if matches!(operation, Operation::Write | Operation::Grow) => {
                Some(io::Error::other("the medium does not take any more"))
            }
            Fault::Syncs if operation == Operation::Sync => {
                Some(io::Error::other("the medium lost something"))
            }
            Fault::ShortReads if operation == Operation::Read => Some(io::ErrorKind::UnexpectedEof.into()),
            Fault::NoSpace if operation == Operation::Grow => Some(io::ErrorKind::StorageFull.into()),
            _ => None,
        };
        match error {
            Some(error) => {
                state.struck = true;
                Err(error)
            }
            None => Ok(state),
        }
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
        state.live.resize(len as usize, 0);
        state.unsynced.push(Change::SetLen(len));
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut state = self.begin(Operation::Sync)?;
        state.durable = state.live.clone();
        state.unsynced.clear();
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut state = self.begin(Operation::Write)?;
        let start = offset as usize;
        let place = state.live.get_mut(start..start + data.len()).ok_or(io::ErrorKind::InvalidInput)?;
        place.copy_from_slice(data);
        state.unsynced.push(Change::Write(offset, data.to_vec()));
        Ok(())
    }
}
