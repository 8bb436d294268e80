use super::changes::{ChangedAccount, ChangedSlot, Inner, PartialChanges};
use super::finished::{BlockHistory, FinishedBlock, InspectedBlock};
use super::step_trace::{Tracer, step_trace};
use super::wait::send;
use crate::engine::in_flight::{Current, Job};
use crate::engine::location::{AccountState, Key, Value};
use crate::engine::step::{Output, Part, Step};
use crate::engine::vm::EvmVm;
use crate::error::{ExecutionError, Skipped};
use crate::protocol::tracing::Tracing;
use crate::protocol::{Assembly, Block, Protocol};
use crate::state::Fault;
use crossbeam_channel::Sender;
use revm::context::result::ExecutionResult;
use std::sync::Arc;
use std::time::Instant;
use tandem_stm::{Admission, Changes, History, Recorded, Sink};

/// Called with a block and the changes of a part of it as they become final, on a worker's thread.
pub(crate) type Observer<'a, P> = Box<dyn FnMut(&Arc<Block<P>>, PartialChanges) + Send + 'a>;

/// Puts blocks together from their final steps and sends them to the consumer.
pub(crate) struct Assembler<'v, 's, P: Protocol, T: Tracing<P>> {
    vm: &'v EvmVm<'s, P, T>,
    finished: Sender<InspectedBlock<P, T::Trace>>,
    observer: Option<Observer<'v, P>>,
    tracer: Option<Tracer<'v, P>>,
    parts: Vec<PartialChanges>,
    assembly: Assembly<P>,
    results: Vec<ExecutionResult>,
    traces: Vec<T::Trace>,
    skipped: Vec<(usize, Skipped)>,
    /// Gas used by the block's transactions that were admitted.
    admitted_gas: u64,
    history: BlockHistory,
    last_end: Instant,
    current: Current<'s, P>,
}

impl<'v, 's, P: Protocol, T: Tracing<P>> Assembler<'v, 's, P, T> {
    pub(crate) fn new(
        vm: &'v EvmVm<'s, P, T>,
        finished: Sender<InspectedBlock<P, T::Trace>>,
        observer: Option<Observer<'v, P>>,
        tracer: Option<Tracer<'v, P>>,
    ) -> Self {
        Self {
            vm,
            finished,
            observer,
            tracer,
            parts: Vec::new(),
            assembly: Assembly::default(),
            results: Vec::new(),
            traces: Vec::new(),
            skipped: Vec::new(),
            admitted_gas: 0,
            history: BlockHistory::default(),
            last_end: Instant::now(),
            current: Current::default(),
        }
    }
}

impl<'s, P: Protocol, T: Tracing<P>> Assembler<'_, 's, P, T> {
    /// Ends a part of the block.
    fn end_part(
        &mut self,
        job: &Job<'s, P>,
        changes: &mut Changes<'_, EvmVm<'s, P, T>>,
    ) -> Result<(), ExecutionError<Fault>> {
        let part = self.add_part(job, changes)?;
        if let Some(observer) = &mut self.observer {
            observer(&job.block, part);
        }
        Ok(())
    }

    fn add_part(
        &mut self,
        job: &Job<'s, P>,
        changes: &mut Changes<'_, EvmVm<'s, P, T>>,
    ) -> Result<PartialChanges, ExecutionError<Fault>> {
        let mut part = Inner::default();
        let mut missing = None;
        part.slots.reserve_exact(changes.most());
        changes.take(|key, before, after| match (key, before, after) {
            (Key::Account { address, .. }, Value::Account(before), Value::Account(after)) => {
                if after.code_hash != before.code_hash && after.has_code() {
                    match self.vm.pools.codes.read().get(&after.code_hash) {
                        Some(code) => part.codes.push((after.code_hash, code.clone())),
                        None => missing = Some((address, after.code_hash)),
                    }
                }
                part.accounts.push(ChangedAccount { address, before, after });
            }
            (Key::Slot { address, generation, slot, .. }, Value::Slot(before), Value::Slot(after)) => {
                part.slots.push(ChangedSlot { address, generation, slot, before, after });
            }
            _ => {}
        });
        if let Some((address, code_hash)) = missing {
            let message = format!("the new code of {address}, with hash {code_hash}, is not known");
            return Err(ExecutionError::Internal(message));
        }
        Self::add_unchanged(&mut part, job.world, changes);
        let part = PartialChanges::new(part);
        self.parts.push(part.clone());
        Ok(part)
    }

    /// Adds the fields of accounts of which slots alone changed.
    fn add_unchanged(part: &mut Inner, world: u32, changes: &Changes<'_, EvmVm<'s, P, T>>) {
        let mut last = None;
        for &ChangedSlot { address, .. } in &part.slots {
            if last.replace(address) == Some(address) {
                continue;
            }
            let account = changes.value(&Key::Account { world, address }).map(Value::account);
            let account = account.unwrap_or(AccountState::ABSENT);
            part.accounts.push(ChangedAccount { address, before: account, after: account });
        }
    }

    fn end_block(
        &mut self,
        job: &Job<'s, P>,
        end: P::End,
        changes: &mut Changes<'_, EvmVm<'s, P, T>>,
    ) -> Result<(), ExecutionError<Fault>> {
        self.add_part(job, changes)?;
        self.assembly.end(&job.block, end)?;
        let Assembly { receipts, gas_used, summary } = std::mem::take(&mut self.assembly);
        let end = Instant::now();
        let block = FinishedBlock {
            block: job.block.clone(),
            receipts,
            gas_used,
            summary,
            results: std::mem::take(&mut self.results),
            skipped: std::mem::take(&mut self.skipped),
            history: std::mem::take(&mut self.history),
            time: end - std::mem::replace(&mut self.last_end, end),
            parts: std::mem::take(&mut self.parts),
        };
        let BlockHistory { conflicts, repairs, reexecutions } = block.history;
        ::tracing::debug!(
            block = %job.block.id(), transactions = block.receipts.len(), block.gas_used, conflicts, repairs, reexecutions,
            "block is final"
        );
        self.vm.consumption.send();
        // A consumer that is gone has cancelled the stream, or is about to.
        send(&self.finished, InspectedBlock { block, traces: std::mem::take(&mut self.traces) });
        Ok(())
    }
}

impl<'s, P: Protocol, T: Tracing<P>> Sink<EvmVm<'s, P, T>> for Assembler<'_, 's, P, T> {
    fn takes_all(&self) -> bool {
        // A block that does not skip is refused when the transaction is added to it.
        !self.vm.options.skips
    }

    fn admit(&mut self, step: &Step, output: &mut Output<P, T::Trace>) -> Admission {
        let (Part::Transaction(index), Output::Transaction(transaction)) = (step.part, &*output) else {
            return Admission::Take;
        };
        let Ok((job, _)) = self.current.at(step.block, &self.vm.jobs) else { return Admission::Take };
        match job.block.protocol().admit(&job.block, index, self.admitted_gas) {
            Ok(()) => {
                self.admitted_gas += transaction.executed.gas_used;
                Admission::Take
            }
            Err(error) => {
                *output = Output::Skipped(Box::new(error.into()));
                Admission::Skip
            }
        }
    }

    fn record(
        &mut self,
        step: &Step,
        output: &Output<P, T::Trace>,
        recorded: &Recorded<'_, EvmVm<'s, P, T>>,
    ) {
        if let Some(tracer) = &mut self.tracer
            && let Ok((job, _)) = self.current.at(step.block, &self.vm.jobs)
        {
            tracer(step_trace(job.block.clone(), step, output, recorded));
        }
    }

    fn finalize(
        &mut self,
        step: Step,
        output: Output<P, T::Trace>,
        changes: &mut Changes<'_, EvmVm<'s, P, T>>,
        history: History,
    ) -> Result<(), ExecutionError<Fault>> {
        self.history.conflicts += u64::from(history.conflicts);
        self.history.repairs += u64::from(history.repaired);
        self.history.reexecutions += u64::from(history.executions.saturating_sub(1));
        let mut current = std::mem::take(&mut self.current);
        let (job, _) = current.at(step.block, &self.vm.jobs)?;
        match (step.part, output) {
            (Part::Transaction(index), Output::Transaction(output)) => {
                self.assembly.add(&job.block, index, output.executed)?;
                self.results.extend(output.result.map(|result| *result));
                self.traces.extend(output.trace);
                if self.vm.ends_part(&job.block, index) {
                    self.end_part(job, changes)?;
                }
            }
            (Part::Transaction(index), Output::Skipped(why)) => {
                self.skipped.push((index, *why));
                if self.vm.ends_part(&job.block, index) {
                    self.end_part(job, changes)?;
                }
            }
            (_, Output::End(end)) => {
                self.admitted_gas = 0;
                self.end_block(job, end, changes)?;
                self.vm.jobs.remove(step.block);
            }
            _ => {}
        }
        self.current = current;
        Ok(())
    }
}
