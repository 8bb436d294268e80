//! Executing a message ahead of its turn, on a snapshot, leaving no trace but what it relied on and what it did.

use std::sync::Arc;

use cid::Cid;
use fvm::engine::EnginePool;
use fvm::executor::{ApplyKind, DefaultExecutor, Executor as _};
use fvm::externs::Externs;
use fvm::machine::{Machine as _, MachineContext};
use fvm::state_tree::ActorState;
use fvm_ipld_blockstore::Blockstore;
use fvm_shared::ActorID;
use fvm_shared::message::Message;
use parking_lot::RwLock;
use serde::{Deserialize, Serialize};

use crate::contract;
use crate::kamt::Diff;
use crate::kernel::Recorder;
use crate::machine::Overlay;
use crate::record::Record;
use crate::step::{MessageResult, Step};
use crate::store::Layered;

/// The changes of final steps, in order. Speculating workers follow it; a prefix of it is a snapshot.
pub(crate) type Log = RwLock<Vec<(ActorID, Option<ActorState>)>>;

/// The executor under both speculation and the frontier.
pub(crate) type Fvm<B, E> = DefaultExecutor<Recorder<B, E>>;

/// How much is recorded of the messages that an executor executes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Records {
    /// Nothing.
    Nothing,
    /// Their possible changes.
    Changes,
    /// Their observations, too.
    All,
}

/// A machine over the shared store, and an executor on it.
pub(crate) fn executor<B, E>(
    pool: EnginePool,
    context: &MachineContext,
    store: Layered<B>,
    externs: E,
    records: Records,
) -> anyhow::Result<Fvm<B, E>>
where
    B: Blockstore + 'static,
    E: Externs + 'static,
{
    let machine = Overlay::new(context, store, externs)?;
    let (on, reads) = (records != Records::Nothing, records == Records::All);
    machine.record.replace(Record::new(on, reads));
    Fvm::new(pool, machine)
}

/// One actor's state on the snapshot, and after the message.
#[derive(Serialize, Deserialize)]
pub(crate) struct Change {
    pub(crate) id: ActorID,
    pub(crate) pre: Option<ActorState>,
    pub(crate) post: Option<ActorState>,
    /// For a contract whose slots changed and nothing else: the changes, if they can be told. Not looked for where they
    /// will hardly be needed.
    pub(crate) slots: Option<Option<Diff>>,
}

/// The result of a speculation: observations and effects.
#[derive(Serialize, Deserialize)]
pub(crate) struct Outcome {
    pub(crate) result: MessageResult,
    pub(crate) sender: ActorID,
    /// Whether it got past pre-validation: only then is the sender's sequence raised.
    pub(crate) started: bool,
    pub(crate) record: Record,
    /// Of every actor touched.
    pub(crate) changes: Vec<Change>,
}

/// Executes messages on the newest snapshot.
pub(crate) struct Speculator<B: Blockstore + 'static, E: Externs + 'static> {
    executor: Fvm<B, E>,
    log: Arc<Log>,
    /// How much of the log is in the snapshot.
    seen: usize,
    contracts: Arc<[Cid]>,
}

impl<B: Blockstore + 'static, E: Externs + 'static> Speculator<B, E> {
    pub(crate) fn new(executor: Fvm<B, E>, log: Arc<Log>, contracts: Arc<[Cid]>) -> Self {
        Self { executor, log, seen: 0, contracts }
    }

    fn catch_up(&mut self) {
        let log = self.log.read();
        let tree = self.executor.state_tree_mut();
        for (id, actor) in &log[self.seen..] {
            match actor {
                Some(actor) => tree.set_actor(*id, actor.clone()),
                None => tree.delete_actor(*id),
            }
        }
        self.seen = log.len();
    }

    /// Executes a step ahead of its turn, if it is one that may be. Tells changes slot by slot if they are likely to be merged.
    pub(crate) fn speculate_step(&mut self, step: &Step, merges: bool) -> Option<Outcome> {
        match step {
            Step::Explicit { message, raw_length } => self.speculate(message, *raw_length, merges),
            Step::Implicit { .. } => None,
        }
    }

    /// Executes the message as if it were its turn already. `None` if it could not be tried: then it waits for its turn, where
    /// errors are real.
    pub(crate) fn speculate(
        &mut self,
        message: &Message,
        raw_length: usize,
        merges: bool,
    ) -> Option<Outcome> {
        self.catch_up();
        // The sequence is raised by one in execution.
        message.sequence.checked_add(1)?;
        self.executor.record.borrow_mut().clear();
        let tree = self.executor.state_tree_mut();
        // Outside the transaction, so that the answers stay cached.
        let sender = tree.lookup_id(&message.from).ok()??;
        let recipient = tree.lookup_id(&message.to).ok()?;
        let mut actor = tree.get_actor(sender).ok()??;
        tree.begin_transaction();
        actor.sequence = message.sequence;
        tree.set_actor(sender, actor);
        let executed = self.executor.execute_message(message.clone(), ApplyKind::Explicit, raw_length);
        let mut record = self.executor.record.replace(Record::new(true, true));
        record.touched.insert(sender);
        record.recipient(&message.to, recipient);
        let tree = self.executor.state_tree_mut();
        let after: Result<Vec<_>, _> = record.touched.iter().map(|id| tree.get_actor(*id)).collect();
        tree.end_transaction(true).ok()?;
        let result = MessageResult::from(executed.ok()?);
        let mut started = false;
        let mut changes = Vec::with_capacity(record.touched.len());
        for (id, post) in record.touched.iter().zip(after.ok()?) {
            let pre = self.executor.state_tree().get_actor(*id).ok()?;
            started |= *id == sender && post.as_ref().is_some_and(|actor| actor.sequence > message.sequence);
            let store = self.executor.blockstore();
            let slots = merges.then(|| slots(store, &self.contracts, pre.as_ref(), post.as_ref(), &record));
            changes.push(Change { id: *id, pre, post, slots });
        }
        Some(Outcome { result, sender, started, record, changes })
    }
}

/// How a message changed a contract's slots, if it changed nothing else of it.
pub(crate) fn slots(
    store: &impl Blockstore,
    contracts: &[Cid],
    pre: Option<&ActorState>,
    post: Option<&ActorState>,
    record: &Record,
) -> Option<Diff> {
    let (pre, post) = (pre?, post?);
    if pre.state == post.state || !contracts.contains(&pre.code) {
        return None;
    }
    contract::diff(store, &pre.state, &post.state, &record.opened, &record.written)
}
