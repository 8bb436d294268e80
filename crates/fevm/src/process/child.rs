//! One worker process, as its parent sees it.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use anyhow::{Context as _, bail, ensure};
use cid::Cid;
use fvm_ipld_blockstore::Blockstore;

use super::command::WorkerCommand;
use super::errand::{Arrival, Given, Tipset};
use super::link::{Inbox, Outbox, link};
use super::wire::{Answer, Block, Order, VERSION};
use crate::speculation::Log;
use crate::step::Step;
use crate::store::{Entry, Journal};

/// About how many bytes of blocks go into a frame.
const FRAME: usize = 1 << 20;

/// The most bytes of blocks that are kept for a process that is not needed for a while. It asks for dropped ones.
const OWED: usize = 64 << 20;

/// A worker process. Dropping it ends it.
pub(super) struct Process {
    number: usize,
    child: Child,
    inbox: Inbox,
    outbox: Outbox,
    /// It has said hello.
    greeted: bool,
    /// It has been told of this tipset.
    engaged: bool,
    /// How many tipsets it has been told of and has not said that it is ready for.
    unready: u32,
    /// Given and not answered, oldest first, of any tipset: one that hangs is given no more than that.
    open: VecDeque<Given>,
    /// How much it has been told of this tipset's log and journal.
    log: usize,
    journal: usize,
    /// Blocks of earlier tipsets' states that it has not been told of, and their size.
    owed: Vec<(Cid, Arc<[u8]>)>,
    owed_bytes: usize,
}

impl Process {
    pub(super) fn start(number: usize, command: &WorkerCommand) -> anyhow::Result<Self> {
        let start = || {
            let (ours, theirs) = UnixStream::pair()?;
            let child = Command::new(&command.program)
                .args(&command.args)
                .stdin(Stdio::from(OwnedFd::from(theirs)))
                .stdout(Stdio::null())
                .spawn()?;
            let (inbox, outbox) = link(ours)?;
            anyhow::Ok((child, inbox, outbox))
        };
        let (child, inbox, outbox) = start()
            .with_context(|| format!("the worker process {} cannot be started", command.program.display()))?;
        Ok(Self {
            number,
            child,
            inbox,
            outbox,
            greeted: false,
            engaged: false,
            unready: 0,
            open: VecDeque::new(),
            log: 0,
            journal: 0,
            owed: Vec::new(),
            owed_bytes: 0,
        })
    }

    pub(super) fn number(&self) -> usize {
        self.number
    }

    /// Whether it is ready for this tipset.
    pub(super) fn ready(&self) -> bool {
        self.engaged && self.unready == 0
    }

    /// How many steps it has been given and has not answered.
    pub(super) fn load(&self) -> usize {
        self.open.len()
    }

    /// Whether it may have something to say, or is still to be told something.
    pub(super) fn busy(&self) -> bool {
        !self.open.is_empty() || self.unready > 0
    }

    /// A tipset begins.
    pub(super) fn begin(&mut self) {
        (self.engaged, self.log, self.journal) = (false, 0, 0);
    }

    /// Tells it of the tipset, if it has not been told and is not busy getting ready for another: one that hangs is told no more.
    pub(super) fn engage(&mut self, tipset: &Tipset) -> anyhow::Result<()> {
        if !self.greeted || self.engaged || self.unready > 0 {
            return Ok(());
        }
        self.engaged = true;
        self.unready += 1;
        self.owed_bytes = 0;
        let owed = std::mem::take(&mut self.owed);
        blocks(&mut self.outbox, Order::Old, owed.iter().map(|(cid, data)| (cid, data)))?;
        let (context, contracts) = (Cow::Borrowed(&tipset.context), Cow::Borrowed(&*tipset.contracts));
        self.outbox.push(&Order::Begin { context, contracts })
    }

    /// Tells it what has become final since it was last told.
    pub(super) fn tell(&mut self, log: &Log, journal: &Journal) -> anyhow::Result<()> {
        self.tell_blocks(&journal.lock())?;
        let log = log.read();
        if self.log < log.len() {
            self.outbox.push(&Order::Changes(Cow::Borrowed(&log[self.log..])))?;
            self.log = log.len();
        }
        Ok(())
    }

    fn tell_blocks(&mut self, journal: &[Entry]) -> anyhow::Result<()> {
        let new = others(&journal[self.journal..], self.number);
        self.journal = journal.len();
        blocks(&mut self.outbox, Order::New, new)
    }

    pub(super) fn lend(&mut self, given: Given, step: &Step, merges: bool) -> anyhow::Result<()> {
        let Step::Explicit { message, raw_length } = step else {
            bail!("messages of the system are not tried early");
        };
        self.open.push_back(given);
        self.outbox.push(&Order::Try { message: Cow::Borrowed(message), raw_length: *raw_length, merges })
    }

    /// Sends as much as it takes.
    pub(super) fn flush(&mut self) -> anyhow::Result<()> {
        self.outbox.flush().context("it cannot be told anything")
    }

    /// The tipset is over.
    pub(super) fn end(
        &mut self,
        root: &Cid,
        journal: Option<&Journal>,
        new: &[(Cid, Arc<[u8]>)],
    ) -> anyhow::Result<()> {
        if let Some(journal) = journal.filter(|_| self.log > 0) {
            // It has most of them.
            self.tell_blocks(&journal.lock())?;
            self.outbox.push(&Order::End { root: *root })?;
            return self.flush();
        }
        self.owed_bytes += new.iter().map(|(_, data)| data.len()).sum::<usize>();
        self.owed.extend(new.iter().cloned());
        if self.owed_bytes > OWED {
            self.owed.clear();
            self.owed_bytes = 0;
        }
        Ok(())
    }

    /// Takes what it has said: results that are `wanted`, their blocks into the store.
    pub(super) fn pump(
        &mut self,
        store: &dyn Blockstore,
        wanted: &dyn Fn(&Given) -> bool,
        arrived: &mut Vec<Arrival>,
    ) -> anyhow::Result<()> {
        let there = self.inbox.receive()?;
        while let Some(answer) = self.inbox.next::<Answer<'_>>()? {
            match answer {
                Answer::Hello { version: (name, number) } => {
                    let (ours, protocol) = VERSION;
                    ensure!(!self.greeted, "it says hello twice");
                    ensure!((&*name, number) == VERSION, "it speaks {name}/{number}, not {ours}/{protocol}");
                    self.greeted = true;
                }
                Answer::Ready => {
                    self.unready = self.unready.checked_sub(1).context("it is ready for nothing")?;
                }
                Answer::Tried { mut outcome, written, lacking } => {
                    let given = self.open.pop_front().context("it answers what nobody asked")?;
                    let mut found = Vec::new();
                    for cid in lacking {
                        outcome = None;
                        let data = store.get(&cid).ok().flatten();
                        found.extend(data.map(|data| (cid, Arc::from(data))));
                    }
                    blocks(&mut self.outbox, Order::Old, found.iter().map(|(cid, data)| (cid, data)))?;
                    if !wanted(&given) {
                        continue;
                    }
                    if let Some(outcome) = &mut outcome {
                        for block in written {
                            store.put_keyed(&block.cid, &block.data)?;
                            outcome.record.written.insert(block.cid);
                        }
                    }
                    arrived.push(Arrival { position: given.position, process: self.number, outcome });
                }
            }
        }
        ensure!(there, "it ended");
        Ok(())
    }

    /// Ends it; says why, and which steps it had.
    pub(super) fn give_up(mut self, why: &anyhow::Error) -> (String, VecDeque<Given>) {
        // It may have ended already; then this is how.
        let _ = self.child.kill();
        let status = self.child.wait().map_or_else(|error| error.to_string(), |status| status.to_string());
        (format!("worker process {}: {why:#} ({status})", self.number), std::mem::take(&mut self.open))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Blocks that others wrote.
fn others(journal: &[Entry], number: usize) -> impl Iterator<Item = (&Cid, &Arc<[u8]>)> {
    journal.iter().filter(move |entry| entry.process != Some(number)).map(|entry| (&entry.cid, &entry.data))
}

/// Adds frames of blocks.
fn blocks<'a>(
    outbox: &mut Outbox,
    order: impl Fn(Vec<Block<'a>>) -> Order<'a>,
    blocks: impl Iterator<Item = (&'a Cid, &'a Arc<[u8]>)>,
) -> anyhow::Result<()> {
    let (mut frame, mut size) = (Vec::new(), 0);
    for (cid, data) in blocks {
        size += data.len();
        frame.push(Block { cid: *cid, data: Cow::Borrowed(data) });
        if size >= FRAME {
            outbox.push(&order(std::mem::take(&mut frame)))?;
            size = 0;
        }
    }
    match frame.is_empty() {
        true => Ok(()),
        false => outbox.push(&order(frame)),
    }
}
