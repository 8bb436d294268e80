//! A store that lets steps pass in an order of the test's choice.

use alloy_primitives::{Address, B256, U256};
use revm::bytecode::Bytecode;
use revm::database_interface::{DBErrorMarker, DatabaseRef};
use revm::state::AccountInfo;
use std::sync::{Condvar, Mutex};
use std::time::Duration;
use tandem_evm::StoreRef;
use tandem_state::MemoryStore;

/// Something that happens while a stream executes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// The account is read from the store, by the first executions that need it. A transaction begins with its sender.
    Read(Address),
    /// The slot is read from the store.
    ReadSlot(Address, u64),
    /// The code is read from the store.
    ReadCode(B256),
    /// A contract asks for the hash of a block this many before the first one of the stream (see [`marking`]). That is
    /// never cached, so it happens in every execution.
    Mark(u64),
    /// The block's transaction with this index became final.
    Final(usize),
}

/// Code that makes a [`Event::Mark`] happen.
pub(crate) fn marking(mark: u64) -> super::asm::Asm {
    use revm::bytecode::opcode as op;
    super::asm::num(mark).op(op::NUMBER).op(op::SUB).op(op::BLOCKHASH).op(op::POP)
}

/// The first time that `event` is about to happen, it waits until everything in `after` has happened.
#[derive(Clone, Debug)]
pub(crate) struct Hold {
    pub(crate) event: Event,
    pub(crate) after: Vec<Event>,
}

/// Makes `event` wait for `after`.
pub(crate) fn hold(event: Event, after: impl Into<Vec<Event>>) -> Hold {
    Hold { event, after: after.into() }
}

/// What goes wrong in a [`Gates`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    Fault,
    Panic,
}

/// How long an event waits before the test is taken to be wrong.
const PATIENCE: Duration = Duration::from_secs(20);
/// What the end of a step, which nobody sees, may take after its last event.
const PUBLISHING: Duration = Duration::from_micros(700);

/// A store whose reads happen in a given order.
pub(crate) struct Gates<'a> {
    inner: StoreRef<'a, MemoryStore>,
    /// Number of the stream's first block.
    first_block: u64,
    holds: Vec<Hold>,
    /// How long an event waits for others.
    patience: Duration,
    /// Whether it goes on if these do not happen. Otherwise the test is taken to be wrong.
    lenient: bool,
    /// An event that goes wrong, the first so many times.
    trouble: Option<(Event, Trouble, usize)>,
    /// What has happened so far, in order.
    happened: Mutex<Vec<Event>>,
    changed: Condvar,
}

impl<'a> Gates<'a> {
    pub(crate) fn new(store: &'a MemoryStore, first_block: u64, holds: Vec<Hold>) -> Self {
        let (happened, changed) = (Mutex::default(), Condvar::new());
        let (patience, lenient) = (PATIENCE, false);
        let inner = StoreRef(store);
        Self { inner, first_block, holds, patience, lenient, trouble: None, happened, changed }
    }

    /// Lets events go on that have waited this long: in a run, one may wait for what the same worker does later.
    pub(crate) fn lenient(mut self, patience: Duration) -> Self {
        (self.patience, self.lenient) = (patience, true);
        self
    }

    /// Makes an event go wrong the first so many times.
    pub(crate) fn with_trouble(mut self, event: Event, trouble: Trouble, times: usize) -> Self {
        self.trouble = Some((event, trouble, times));
        self
    }

    /// Whether everything that was to wait did happen.
    pub(crate) fn all_passed(&self) -> bool {
        let happened = self.happened.lock().unwrap();
        self.holds.iter().all(|hold| happened.contains(&hold.event))
    }

    /// Called when an event is about to happen: waits for its turn.
    pub(crate) fn arrive(&self, event: Event) -> Result<(), Fault> {
        let mut happened = self.happened.lock().unwrap();
        let held = self.holds.iter().find(|hold| hold.event == event);
        if let Some(hold) = held.filter(|_| !happened.contains(&event)) {
            let early = |happened: &mut Vec<Event>| hold.after.iter().any(|other| !happened.contains(other));
            let waited = self.changed.wait_timeout_while(happened, self.patience, early).unwrap();
            happened = waited.0;
            if waited.1.timed_out() && !self.lenient {
                let found = happened.clone();
                drop(happened);
                panic!("{event:?} waits in vain for {:?}; there were {found:?}", hold.after);
            }
            drop(happened);
            std::thread::sleep(PUBLISHING);
            happened = self.happened.lock().unwrap();
        }
        let times = happened.iter().filter(|other| **other == event).count();
        happened.push(event);
        drop(happened);
        self.changed.notify_all();
        match self.trouble {
            Some((troubled, trouble, first)) if troubled == event && times < first => match trouble {
                Trouble::Fault => Err(Fault(format!("{event:?}"))),
                // Without a backtrace, which takes longer to print than others wait.
                Trouble::Panic => std::panic::resume_unwind(Box::new(format!("{event:?} panics"))),
            },
            _ => Ok(()),
        }
    }
}

/// An error of a [`Gates`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault(pub(crate) String);

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Fault {}
impl DBErrorMarker for Fault {}

impl DatabaseRef for Gates<'_> {
    type Error = Fault;

    fn basic_ref(&self, address: Address) -> Result<Option<AccountInfo>, Fault> {
        self.arrive(Event::Read(address))?;
        self.inner.basic_ref(address).map_err(|error| Fault(error.to_string()))
    }

    fn code_by_hash_ref(&self, hash: B256) -> Result<Bytecode, Fault> {
        self.arrive(Event::ReadCode(hash))?;
        self.inner.code_by_hash_ref(hash).map_err(|error| Fault(error.to_string()))
    }

    fn storage_ref(&self, address: Address, slot: U256) -> Result<U256, Fault> {
        if let Ok(slot) = slot.try_into() {
            self.arrive(Event::ReadSlot(address, slot))?;
        }
        self.inner.storage_ref(address, slot).map_err(|error| Fault(error.to_string()))
    }

    fn block_hash_ref(&self, number: u64) -> Result<B256, Fault> {
        self.arrive(Event::Mark(self.first_block.saturating_sub(number)))?;
        self.inner.block_hash_ref(number).map_err(|error| Fault(error.to_string()))
    }
}
