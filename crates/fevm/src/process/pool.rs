//! The parent's side: worker processes, the news that they have, and the steps that they were given.

use std::sync::Arc;
use std::time::{Duration, Instant};

use cid::Cid;
use fvm::machine::MachineContext;
use fvm_ipld_blockstore::Blockstore;

use super::child::Process;
use super::command::WorkerCommand;
use super::errand::{Arrival, Given, Tipset};
use super::wire::Context;
use crate::speculation::Log;
use crate::step::Step;
use crate::store::{Journal, MemoryStore};

/// How many steps a process is given at a time: one to work on, and enough to go on with until the parent looks again.
const DEPTH: usize = 4;

/// All worker processes of an executor.
#[derive(Default)]
pub(crate) struct ProcessPool {
    processes: Vec<Process>,
    /// Why processes were given up.
    lost: Vec<String>,
    /// Steps that were given to those.
    orphans: Vec<(usize, Given)>,
    /// The one that is being executed, if processes can take part.
    tipset: Option<Tipset>,
    /// Whether processes have been told of it.
    engaged: bool,
    /// How many there were.
    tipsets: u64,
}

impl ProcessPool {
    pub(crate) fn start(count: usize, command: &WorkerCommand) -> anyhow::Result<Self> {
        let processes = (0..count).map(|number| Process::start(number, command));
        Ok(Self { processes: processes.collect::<Result<_, _>>()?, ..Self::default() })
    }

    pub(crate) fn lost(&self) -> &[String] {
        &self.lost
    }

    /// A tipset begins. How many processes can take part.
    pub(crate) fn begin(&mut self, context: &MachineContext, contracts: &Arc<[Cid]>) -> usize {
        self.tipsets += 1;
        self.orphans.clear();
        self.engaged = false;
        let contracts = Arc::clone(contracts);
        self.tipset = Context::of(context).map(|context| Tipset { context, contracts });
        self.each(|process| {
            process.begin();
            // Those that have just started have something to say.
            process.pump(&MemoryStore::default(), &|_| false, &mut Vec::new())
        });
        self.tipset.as_ref().map_or(0, |_| self.processes.len())
    }

    /// Has all processes prepare for the tipset that began; waits at most so long. How many are ready.
    pub(crate) fn prepare(&mut self, within: Duration) -> usize {
        let start = Instant::now();
        loop {
            self.each(|process| process.pump(&MemoryStore::default(), &|_| false, &mut Vec::new()));
            self.engage();
            let ready = self.processes.iter().filter(|process| process.ready()).count();
            if ready == self.processes.len() || self.tipset.is_none() || start.elapsed() >= within {
                return ready;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Takes what has arrived for steps that are still `wanted`, their blocks into the store. Never waits.
    pub(crate) fn collect(&mut self, store: &dyn Blockstore, wanted: impl Fn(usize) -> bool) -> Vec<Arrival> {
        let mut arrived = Vec::new();
        let number = self.tipsets;
        let wanted = |given: &Given| given.tipset == number && wanted(given.position);
        if self.processes.iter().any(Process::busy) {
            self.each(|process| match process.busy() {
                true => process.pump(store, &wanted, &mut arrived).and_then(|()| process.flush()),
                false => Ok(()),
            });
        }
        for (process, given) in self.orphans.drain(..).filter(|(_, given)| wanted(given)) {
            arrived.push(Arrival { position: given.position, process, outcome: None });
        }
        arrived
    }

    /// Whether processes have been told of the tipset.
    pub(crate) fn engaged(&self) -> bool {
        self.engaged
    }

    /// Tells all processes of the tipset that can hear it now and have not: there are steps to try.
    pub(crate) fn engage(&mut self) {
        self.engaged = true;
        if let Some(tipset) = self.tipset.take() {
            self.each(|process| process.engage(&tipset).and_then(|()| process.flush()));
            self.tipset = Some(tipset);
        }
    }

    /// A process that is ready for another step, and how many it has.
    pub(crate) fn free(&self) -> Option<(usize, usize)> {
        let load = |process: &Process| (process.number(), process.load());
        let free = self.processes.iter().filter(|process| process.ready()).map(load);
        free.min_by_key(|(_, load)| *load).filter(|(_, load)| *load < DEPTH)
    }

    /// Gives a process a step to try on the state that the log describes.
    pub(crate) fn lend(
        &mut self,
        number: usize,
        (position, step): (usize, &Step),
        merges: bool,
        log: &Log,
        journal: &Journal,
    ) {
        let given = Given { tipset: self.tipsets, position };
        self.each(|process| match process.number() == number {
            true => process.tell(log, journal).and_then(|()| process.lend(given, step, merges)),
            false => Ok(()),
        });
    }

    /// Sends what processes are to be told.
    pub(crate) fn flush(&mut self) {
        self.each(Process::flush);
    }

    /// The tipset is over and left the state `root`. It wrote what is in the journal, of which these blocks are new and under the root.
    pub(crate) fn end(&mut self, root: &Cid, journal: Option<&Journal>, blocks: &[(Cid, Arc<[u8]>)]) {
        self.tipset = None;
        self.each(|process| process.end(root, journal, blocks));
    }

    /// Gives up processes for which it fails.
    fn each(&mut self, mut work: impl FnMut(&mut Process) -> anyhow::Result<()>) {
        let mut index = 0;
        while let Some(process) = self.processes.get_mut(index) {
            match work(process) {
                Ok(()) => index += 1,
                Err(why) => {
                    let process = self.processes.remove(index);
                    let number = process.number();
                    let (why, open) = process.give_up(&why);
                    self.lost.push(why);
                    self.orphans.extend(open.into_iter().map(|given| (number, given)));
                }
            }
        }
    }
}
