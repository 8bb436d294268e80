use crate::base::Fault;
use crate::block::Block;
use crate::changes::{self, ChangedAccount, ChangedSlot, PartialChanges};
use crate::deposits;
use crate::error::{ExecutionError, InvalidBlock};
use crate::finished::{BlockHistory, FinishedBlock, Receipt};
use crate::jobs::{Current, Job};
use crate::location::{Key, Value};
use crate::system::all_requests;
use crate::trace::{Tracer, step_trace};
use crate::vm::{EvmVm, Output, Part, Step, TransactionOutput};
use crate::wait::send;
use alloy_consensus::TxType;
use alloy_eips::eip7685::Requests;
use crossbeam_channel::Sender;
use std::sync::Arc;
use std::time::Instant;
use tandem_stm::{Changes, History, Recorded, Sink};

/// Called with a block and the changes of a part of it as they become final, on a worker's thread.
pub(crate) type Observer<'a> = Box<dyn FnMut(&Arc<Block>, PartialChanges) + Send + 'a>;

/// Puts blocks together from their final steps and sends them to the consumer.
pub(crate) struct Assembler<'v, 's> {
    vm: &'v EvmVm<'s>,
    finished: Sender<FinishedBlock>,
    observer: Option<Observer<'v>>,
    tracer: Option<Tracer<'v>>,
    parts: Vec<PartialChanges>,
    receipts: Vec<Receipt>,
    gas_used: u64,
    deposits: Vec<u8>,
    history: BlockHistory,
    last_end: Instant,
    current: Current<'s>,
}

impl<'v, 's> Assembler<'v, 's> {
    pub(crate) fn new(
        vm: &'v EvmVm<'s>,
        finished: Sender<FinishedBlock>,
        observer: Option<Observer<'v>>,
        tracer: Option<Tracer<'v>>,
    ) -> Self {
        Self {
            vm,
            finished,
            observer,
            tracer,
            parts: Vec::new(),
            receipts: Vec::new(),
            gas_used: 0,
            deposits: Vec::new(),
            history: BlockHistory::default(),
            last_end: Instant::now(),
            current: Current::default(),
        }
    }
}

impl<'s> Assembler<'_, 's> {
    fn add_transaction(
        &mut self,
        job: &Job<'s>,
        index: usize,
        output: TransactionOutput,
    ) -> Result<(), InvalidBlock> {
        let transaction = &job.block.transactions[index];
        if index == 0 {
            self.receipts.reserve_exact(job.block.transactions.len());
        }
        let available = job.block.header.gas_limit.saturating_sub(self.gas_used);
        let wanted = transaction.env.gas_limit;
        if wanted > available {
            return Err(InvalidBlock::GasLimit { index, wanted, available });
        }
        self.gas_used += output.gas_used;
        if job.block.has_requests() {
            deposits::add(job.block.chain.deposit_contract(), &output.logs, &mut self.deposits)?;
        }
        self.receipts.push(Receipt {
            tx_type: TxType::try_from(transaction.tx_type).unwrap_or_default(),
            success: output.success,
            cumulative_gas_used: self.gas_used,
            logs: output.logs,
        });
        Ok(())
    }

    /// Ends a part of the block.
    fn end_part(
        &mut self,
        job: &Job<'s>,
        changes: &mut Changes<'_, EvmVm<'s>>,
    ) -> Result<(), ExecutionError<Fault>> {
        let part = self.add_part(changes)?;
        if let Some(observer) = &mut self.observer {
            observer(&job.block, part);
        }
        Ok(())
    }

    fn add_part(
        &mut self,
        changes: &mut Changes<'_, EvmVm<'s>>,
    ) -> Result<PartialChanges, ExecutionError<Fault>> {
        let mut part = changes::Inner::default();
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
        let part = PartialChanges::new(part);
        self.parts.push(part.clone());
        Ok(part)
    }

    fn end_block(
        &mut self,
        job: &Job<'s>,
        queued: Requests,
        changes: &mut Changes<'_, EvmVm<'s>>,
    ) -> Result<(), ExecutionError<Fault>> {
        self.add_part(changes)?;
        let deposits = std::mem::take(&mut self.deposits);
        let requests = all_requests(&job.block, deposits, queued);
        let end = Instant::now();
        let block = FinishedBlock {
            block: job.block.clone(),
            receipts: std::mem::take(&mut self.receipts),
            gas_used: std::mem::take(&mut self.gas_used),
            requests,
            history: std::mem::take(&mut self.history),
            time: end - std::mem::replace(&mut self.last_end, end),
            parts: std::mem::take(&mut self.parts),
        };
        // A consumer that is gone has cancelled the stream, or is about to.
        send(&self.finished, block);
        Ok(())
    }
}

impl<'s> Sink<EvmVm<'s>> for Assembler<'_, 's> {
    fn record(&mut self, step: &Step, output: &Output, recorded: &Recorded<'_, EvmVm<'s>>) {
        if let Some(tracer) = &mut self.tracer
            && let Ok((job, _)) = self.current.at(step.block, &self.vm.jobs)
        {
            tracer(step_trace(job.block.clone(), step, output, recorded));
        }
    }

    fn finalize(
        &mut self,
        step: Step,
        output: Output,
        changes: &mut Changes<'_, EvmVm<'s>>,
        history: History,
    ) -> Result<(), ExecutionError<Fault>> {
        self.history.conflicts += u64::from(history.conflicts);
        self.history.repairs += u64::from(history.repaired);
        self.history.reexecutions += u64::from(history.executions.saturating_sub(1));
        let mut current = std::mem::take(&mut self.current);
        let (job, _) = current.at(step.block, &self.vm.jobs)?;
        match (step.part, output) {
            (Part::Transaction(index), Output::Transaction(output)) => {
                self.add_transaction(job, index, output)
                    .map_err(|error| ExecutionError::Block { block: job.block.id(), error })?;
                if self.vm.ends_part(&job.block, index) {
                    self.end_part(job, changes)?;
                }
            }
            (_, Output::End(requests)) => {
                self.end_block(job, requests, changes)?;
                self.vm.jobs.remove(step.block);
            }
            _ => {}
        }
        self.current = current;
        Ok(())
    }
}
