//! The turn: the state left by all final steps, on which results of speculation are validated and applied, and everything else
//! executes.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

use cid::Cid;
use fvm::executor::{ApplyKind, Executor as _};
use fvm::externs::Externs;
use fvm::machine::{BURNT_FUNDS_ACTOR_ID, Machine as _, REWARD_ACTOR_ID};
use fvm::state_tree::ActorState;
use fvm_ipld_blockstore::Blockstore;
use fvm_shared::ActorID;
use fvm_shared::econ::TokenAmount;
use fvm_shared::error::ExitCode;
use fvm_shared::message::Message;

use crate::checks::{Checks, Conflict, Stats};
use crate::contract;
use crate::speculation::{self, Change, Fvm, Log, Outcome};
use crate::step::{MessageResult, Step};
use crate::store::{Entry, Journal, Layered};

/// The init actor, which knows all addresses.
const INIT: ActorID = 1;

/// Makes steps final, in order.
pub(crate) struct Frontier<B: Blockstore + 'static, E: Externs + 'static> {
    executor: Fvm<B, E>,
    /// Where changes are published; `None` if no worker speculates.
    log: Option<Arc<Log>>,
    /// Where blocks are noted for worker processes; the executor's store notes the executor's own writes.
    journal: Option<Arc<Journal>>,
    /// Actors that may have changed since they were last published.
    unpublished: BTreeSet<ActorID>,
    contracts: Arc<[Cid]>,
    checks: Checks,
    pub(crate) stats: Stats,
}

impl<B: Blockstore + 'static, E: Externs + 'static> Frontier<B, E> {
    pub(crate) fn new(
        executor: Fvm<B, E>,
        log: Option<Arc<Log>>,
        journal: Option<Arc<Journal>>,
        contracts: Arc<[Cid]>,
        checks: Checks,
    ) -> Self {
        let unpublished = BTreeSet::new();
        Self { executor, log, journal, unpublished, contracts, checks, stats: Stats::default() }
    }

    /// Executes a step at its turn. Its changes are published only if a worker may be about to speculate on them.
    pub(crate) fn execute(&mut self, step: &Step, publish: bool) -> anyhow::Result<MessageResult> {
        self.stats.at_turn += 1;
        self.execute_now(step, publish)
    }

    fn execute_now(&mut self, step: &Step, publish: bool) -> anyhow::Result<MessageResult> {
        self.executor.record.borrow_mut().clear();
        let (kind, raw_length) = match step {
            Step::Explicit { raw_length, .. } => (ApplyKind::Explicit, *raw_length),
            Step::Implicit { .. } => (ApplyKind::Implicit, 0),
        };
        let message = step.message();
        let found = match &self.log {
            Some(_) => lookup(&self.executor, &message.to)?,
            None => None,
        };
        let ret = self.executor.execute_message(message.clone(), kind, raw_length)?;
        if self.log.is_some() {
            self.note_changes(message, found)?;
            if publish {
                self.publish_changes()?;
            }
        }
        Ok(ret.into())
    }

    /// Notes whatever the message that just executed may have changed.
    fn note_changes(&mut self, message: &Message, recipient: Option<ActorID>) -> anyhow::Result<()> {
        let mut record = self.executor.record.borrow_mut();
        record.recipient(&message.to, recipient);
        let ids = &mut self.unpublished;
        ids.append(&mut record.touched);
        ids.extend([BURNT_FUNDS_ACTOR_ID, REWARD_ACTOR_ID]);
        ids.extend(lookup(&self.executor, &message.from)?);
        if record.structural {
            ids.insert(INIT);
            for address in &record.created {
                ids.extend(lookup(&self.executor, address)?);
            }
        }
        Ok(())
    }

    /// Publishes the changes since the last time to the speculating workers.
    pub(crate) fn publish_changes(&mut self) -> anyhow::Result<()> {
        if self.unpublished.is_empty() {
            return Ok(());
        }
        let ids = std::mem::take(&mut self.unpublished).into_iter();
        self.publish(ids.map(|id| Ok((id, self.actor(id)?))).collect::<anyhow::Result<Vec<_>>>()?);
        Ok(())
    }

    fn publish(&self, changed: Vec<(ActorID, Option<ActorState>)>) {
        if let Some(log) = &self.log {
            log.write().extend(changed);
        }
    }

    /// Makes a step final: by the result of its speculation, in a worker process or here, if everything that it observed holds, else
    /// by executing it.
    pub(crate) fn settle(
        &mut self,
        step: &Step,
        outcome: Outcome,
        process: Option<usize>,
    ) -> anyhow::Result<(MessageResult, Option<Conflict>)> {
        self.stats.by_processes += u64::from(process.is_some());
        match self.prepare(step.message(), &outcome) {
            Ok(prepared) => {
                self.publish_changes()?;
                self.note_blocks(&outcome, process);
                self.apply(prepared);
                self.stats.kept += 1;
                Ok((outcome.result, None))
            }
            Err(conflict) => {
                self.stats.count(conflict);
                Ok((self.execute_now(step, true)?, Some(conflict)))
            }
        }
    }

    /// Notes what a speculation wrote that is now final.
    fn note_blocks(&self, outcome: &Outcome, process: Option<usize>) {
        if let Some(journal) = &self.journal {
            let store = self.executor.blockstore();
            let block = |cid: &Cid| Some(Entry { cid: *cid, data: store.written(cid)?, process });
            journal.lock().extend(outcome.record.written.iter().filter_map(block));
        }
    }

    /// Validates a result; gives the actors as it leaves them.
    fn prepare(&self, message: &Message, outcome: &Outcome) -> Result<Prepared, Conflict> {
        let Self { checks, .. } = self;
        let Outcome { record, result, .. } = outcome;
        if checks.structural
            && (record.structural
                || !outcome.started
                || result.receipt.exit_code == ExitCode::SYS_ASSERTION_FAILED)
        {
            return Err(Conflict::Structural);
        }
        // The meaning of an address never changes once it has one.
        let resolves = |address| lookup(&self.executor, address).map_or(true, |id| id.is_some());
        if checks.resolutions && record.unresolved.iter().any(resolves) {
            return Err(Conflict::Resolution);
        }
        let reserved = [REWARD_ACTOR_ID, BURNT_FUNDS_ACTOR_ID];
        if checks.reserved && reserved.iter().any(|id| record.touched.contains(id)) {
            return Err(Conflict::Reserved);
        }
        let mut prepared = Prepared::default();
        for change in &outcome.changes {
            let truth = self.actor(change.id).map_err(|_| Conflict::Identity)?;
            self.prepare_actor(message, outcome, change, truth, &mut prepared)?;
        }
        for (id, amount) in [
            (BURNT_FUNDS_ACTOR_ID, &result.base_fee_burn + &result.over_estimation_burn),
            (REWARD_ACTOR_ID, result.miner_tip.clone()),
        ] {
            if !amount.is_zero() {
                prepared.credit(id, &amount, || self.actor(id))?;
            }
        }
        Ok(prepared)
    }

    fn prepare_actor(
        &self,
        message: &Message,
        outcome: &Outcome,
        change: &Change,
        truth: Option<ActorState>,
        prepared: &mut Prepared,
    ) -> Result<(), Conflict> {
        let Self { checks, .. } = self;
        let record = &outcome.record;
        let identity = |actor: &Option<ActorState>| actor.as_ref().map(|a| (a.code, a.delegated_address));
        if checks.identities && identity(&truth) != identity(&change.pre) {
            return Err(Conflict::Identity);
        }
        let (pre, post, mut actor) = match (&change.pre, &change.post, truth) {
            (Some(pre), Some(post), Some(truth)) => (pre, post, truth),
            // It was not there and still is not, or (without V1 or V3) it cannot be told what to do.
            (pre, post, truth) => {
                return match pre.is_none() && post.is_none() {
                    true => Ok(()),
                    false if truth.is_none() => Err(Conflict::Identity),
                    false => Err(Conflict::Structural),
                };
            }
        };
        let is_sender = change.id == outcome.sender;
        if is_sender && checks.sender {
            let needed = &message.gas_fee_cap * message.gas_limit + &message.value;
            if actor.sequence != message.sequence || actor.balance < needed || pre.balance < needed {
                return Err(Conflict::Sender);
            }
        }
        if checks.balances && record.balances.contains(&change.id) && actor.balance != pre.balance {
            return Err(Conflict::Balance);
        }
        let before = actor.clone();
        if actor.state == pre.state {
            actor.state = post.state;
        } else {
            if checks.states && record.entered.contains(&change.id) {
                self.same_path(change, pre, &actor, outcome)?;
            }
            if post.state != pre.state {
                let store = self.executor.blockstore();
                let tell = || speculation::slots(store, &self.contracts, Some(pre), Some(post), record);
                let diff = match &change.slots {
                    Some(told) => told.as_ref().map(Cow::Borrowed),
                    None => tell().map(Cow::Owned),
                };
                let diff = diff.ok_or(Conflict::Diff)?;
                actor.state = contract::merge(store, &actor.state, &diff).ok_or(Conflict::Diff)?;
                prepared.merged += 1;
            }
        }
        actor.balance += &post.balance - &pre.balance;
        actor.code = post.code;
        if is_sender {
            actor.sequence += 1;
        }
        if actor != before {
            prepared.actors.push((change.id, Some(actor)));
        }
        Ok(())
    }

    /// Whether an actor whose state has changed since would have done the same.
    fn same_path(
        &self,
        change: &Change,
        pre: &ActorState,
        truth: &ActorState,
        outcome: &Outcome,
    ) -> Result<(), Conflict> {
        let record = &outcome.record;
        if !self.contracts.contains(&pre.code) || record.reentered.contains(&change.id) {
            return Err(Conflict::State);
        }
        let store = self.executor.blockstore();
        contract::same_path(store, &pre.state, &truth.state, &record.opened, self.checks)
    }

    fn apply(&mut self, prepared: Prepared) {
        self.stats.merged += prepared.merged;
        let tree = self.executor.state_tree_mut();
        tree.begin_transaction();
        for (id, actor) in &prepared.actors {
            if let Some(actor) = actor {
                tree.set_actor(*id, actor.clone());
            }
        }
        // Forgets how to undo this; there is no outer transaction.
        let ended = tree.end_transaction(false);
        debug_assert!(ended.is_ok());
        self.publish(prepared.actors);
    }

    fn actor(&self, id: ActorID) -> anyhow::Result<Option<ActorState>> {
        let found = self.executor.state_tree().get_actor(id);
        found.map_err(|error| anyhow::anyhow!("{error}"))
    }

    /// Writes the state tree to the shared store; gives its root.
    pub(crate) fn flush(&mut self) -> anyhow::Result<Cid> {
        self.executor.flush()
    }

    /// The log and the journal, if there are worker processes that follow them.
    pub(crate) fn news(&self) -> Option<(&Log, &Journal)> {
        Some((self.log.as_deref()?, self.journal.as_deref()?))
    }

    /// The blocks; nothing is noted of what is written to them.
    pub(crate) fn store(&self) -> Layered<B> {
        self.executor.blockstore().unnoted()
    }
}

/// The actors as a valid result leaves them.
#[derive(Default)]
struct Prepared {
    actors: Vec<(ActorID, Option<ActorState>)>,
    merged: u64,
}

impl Prepared {
    fn credit(
        &mut self,
        id: ActorID,
        amount: &TokenAmount,
        truth: impl FnOnce() -> anyhow::Result<Option<ActorState>>,
    ) -> Result<(), Conflict> {
        if let Some((_, Some(actor))) = self.actors.iter_mut().find(|(other, _)| *other == id) {
            actor.balance += amount;
            return Ok(());
        }
        let mut actor = truth().ok().flatten().ok_or(Conflict::Reserved)?;
        actor.balance += amount;
        self.actors.push((id, Some(actor)));
        Ok(())
    }
}

fn lookup<B: Blockstore + 'static, E: Externs + 'static>(
    executor: &Fvm<B, E>,
    address: &fvm_shared::address::Address,
) -> anyhow::Result<Option<ActorID>> {
    let found = executor.state_tree().lookup_id(address);
    found.map_err(|error| anyhow::anyhow!("{error}"))
}
