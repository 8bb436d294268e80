//! The process's side: speculates on the given messages.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::io::ErrorKind;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::sync::Arc;

use anyhow::Context as _;
use cid::Cid;
use fvm::engine::{EngineConfig, EnginePool};
use fvm::externs::Externs;
use fvm::machine::MachineContext;
use fvm_ipld_blockstore::Blockstore;
use fvm_shared::message::Message;

use super::link::{Inbox, Outbox, link};
use super::wire::{Answer, Block, Order, VERSION};
use crate::speculation::{self, Log, Outcome, Records, Speculator};
use crate::stack::on_large_stack;
use crate::store::Layered;

/// Is a worker process: does what the executor that started it says, over the socket that is its standard input, until that ends.
///
/// `store` has whatever blocks of the state are at hand, best all of them: others are asked for, and a message for which one was
/// missing is left to the parent. The blocks of each state that a tipset leaves are written to it.
///
/// # Errors
/// If standard input is no socket, or the other end says something that makes no sense, or the store fails.
pub fn serve<B, E>(store: Arc<B>, externs: E) -> anyhow::Result<()>
where
    B: Blockstore + Send + Sync + 'static,
    E: Externs + Clone + Send + 'static,
{
    let start = || {
        let stream = UnixStream::from(std::io::stdin().as_fd().try_clone_to_owned()?);
        // Fails for whatever is no socket.
        stream.local_addr()?;
        link(stream)
    };
    let (inbox, outbox) = start().context(
        "standard input is not the socket of an executor: worker processes are started by those who need them",
    )?;
    let worker =
        Worker { inbox, outbox, store, externs, engines: None, tipset: None, queue: VecDeque::new() };
    on_large_stack(|| worker.run())
}

/// A message to speculate on.
struct Task {
    message: Message,
    raw_length: usize,
    merges: bool,
}

struct Worker<B: Blockstore + 'static, E: Externs + 'static> {
    inbox: Inbox,
    outbox: Outbox,
    store: Arc<B>,
    externs: E,
    /// The actors compiled last, and for what.
    engines: Option<(EngineConfig, EnginePool)>,
    tipset: Option<Tipset<B, E>>,
    queue: VecDeque<Task>,
}

/// The tipset that began last.
struct Tipset<B: Blockstore + 'static, E: Externs + 'static> {
    context: MachineContext,
    contracts: Arc<[Cid]>,
    layered: Layered<B>,
    log: Arc<Log>,
    /// `None` until the state is known well enough to have one.
    speculator: Option<Speculator<B, E>>,
}

impl<B, E> Worker<B, E>
where
    B: Blockstore + Send + Sync + 'static,
    E: Externs + Clone + Send + 'static,
{
    fn run(mut self) -> anyhow::Result<()> {
        let (name, number) = VERSION;
        self.outbox.push(&Answer::Hello { version: (Cow::Borrowed(name), number) })?;
        loop {
            match self.outbox.send() {
                // The asking thread is gone.
                Err(error) if matches!(error.kind(), ErrorKind::BrokenPipe | ErrorKind::ConnectionReset) => {
                    return Ok(());
                }
                sent => sent?,
            }
            let there = match self.queue.is_empty() {
                true => self.inbox.wait()?,
                false => self.inbox.receive()?,
            };
            if !there {
                return Ok(());
            }
            self.listen()?;
            if let Some(task) = self.queue.pop_front() {
                self.attempt(&task)?;
            }
        }
    }

    /// Takes orders.
    fn listen(&mut self) -> anyhow::Result<()> {
        while let Some(order) = self.inbox.next::<Order<'_>>()? {
            let tipset = self.tipset.as_mut();
            match order {
                Order::Begin { context, contracts } => {
                    self.queue.drain(..).try_for_each(|_| self.outbox.push(&NOTHING))?;
                    let context = context.into_owned().machine();
                    // Before there is another: there is one executor for each pool.
                    self.tipset = None;
                    let layered = Layered::new(Arc::clone(&self.store))?.watched();
                    let mut tipset = Tipset {
                        context,
                        contracts: contracts.as_ref().into(),
                        layered,
                        log: Arc::default(),
                        speculator: None,
                    };
                    tipset.start(&mut self.engines, &self.externs)?;
                    self.tipset = Some(tipset);
                    self.outbox.push(&Answer::Ready)?;
                }
                Order::Old(blocks) => {
                    for block in &blocks {
                        self.store.put_keyed(&block.cid, &block.data)?;
                    }
                }
                Order::New(blocks) => {
                    let tipset = tipset.context("blocks of no tipset")?;
                    for block in &blocks {
                        tipset.layered.put_keyed(&block.cid, &block.data)?;
                    }
                }
                Order::Changes(changes) => {
                    tipset.context("changes in no tipset")?.log.write().extend(changes.into_owned());
                }
                Order::Try { message, raw_length, merges } => {
                    self.queue.push_back(Task { message: message.into_owned(), raw_length, merges });
                }
                Order::End { root } => {
                    self.queue.drain(..).try_for_each(|_| self.outbox.push(&NOTHING))?;
                    tipset.context("the end of no tipset")?.layered.settle(&root).map(drop)?;
                }
            }
        }
        Ok(())
    }

    /// Speculates on a message, and answers.
    fn attempt(&mut self, task: &Task) -> anyhow::Result<()> {
        let tipset = self.tipset.as_mut().context("a message of no tipset")?;
        let outcome = tipset.attempt(task, &mut self.engines, &self.externs)?;
        let lacking = tipset.layered.lacking();
        let Some(outcome) = outcome.filter(|_| lacking.is_empty()) else {
            return self.outbox.push(&Answer::Tried { outcome: None, written: Vec::new(), lacking });
        };
        let block = |cid: &Cid| Some((*cid, tipset.layered.written(cid)?));
        let blocks: Option<Vec<_>> = outcome.record.written.iter().map(block).collect();
        let blocks = blocks.context("a block that was written is not there")?;
        let written =
            blocks.iter().map(|(cid, data)| Block { cid: *cid, data: Cow::Borrowed(data) }).collect();
        self.outbox.push(&Answer::Tried { outcome: Some(outcome), written, lacking })
    }
}

/// Of a message that was not tried.
const NOTHING: Answer<'_> = Answer::Tried { outcome: None, written: Vec::new(), lacking: Vec::new() };

impl<B, E> Tipset<B, E>
where
    B: Blockstore + Send + Sync + 'static,
    E: Externs + Clone + Send + 'static,
{
    /// Makes a speculator, if the state is known well enough.
    fn start(&mut self, engines: &mut Option<(EngineConfig, EnginePool)>, externs: &E) -> anyhow::Result<()> {
        let config = EngineConfig::from(&self.context.network);
        let pool = match engines {
            Some((known, pool)) if *known == config => pool.clone(),
            _ => engines.insert((config.clone(), EnginePool::new(config)?)).1.clone(),
        };
        let (layered, externs) = (self.layered.clone(), externs.clone());
        let executor = speculation::executor(pool, &self.context, layered, externs, Records::All);
        let (log, contracts) = (Arc::clone(&self.log), Arc::clone(&self.contracts));
        self.speculator = executor.ok().map(|executor| Speculator::new(executor, log, contracts));
        Ok(())
    }

    fn attempt(
        &mut self,
        task: &Task,
        engines: &mut Option<(EngineConfig, EnginePool)>,
        externs: &E,
    ) -> anyhow::Result<Option<Outcome>> {
        if self.speculator.is_none() {
            self.start(engines, externs)?;
        }
        let speculator = self.speculator.as_mut();
        Ok(speculator
            .and_then(|speculator| speculator.speculate(&task.message, task.raw_length, task.merges)))
    }
}
