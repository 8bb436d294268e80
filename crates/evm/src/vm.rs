use crate::base::Fault;
use crate::block::Block;
use crate::db::{Db, Pools};
use crate::error::ExecutionError;
use crate::finish::finish;
use crate::handler::OrderedHandler;
use crate::jobs::{Current, Job, Jobs};
use crate::kept::SpareContent;
use crate::location::EvmState;
use crate::machine::{Machine, MachineError};
use crate::repair::Transfer;
use crate::system::{self, SystemError};
use crate::trace::Notes;
use crate::transfer;
use alloy_eips::eip7685::Requests;
use alloy_primitives::Log;
use revm::context::result::{EVMError, ExecutionResult};
use revm::handler::{EvmTr, Handler};
use std::num::NonZeroUsize;
use tandem_stm::{Repair, View, Vm};

/// Which part of its block a step is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Start,
    Transaction(usize),
    End,
}

/// One unit of the stream.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step {
    /// The block's number among the stream's (see [`Jobs`]).
    pub(crate) block: u64,
    pub(crate) part: Part,
}

/// What a step yields.
#[derive(Debug)]
pub(crate) enum Output {
    Start,
    Transaction(TransactionOutput),
    End(Requests),
}

/// What a transaction yields.
#[derive(Debug)]
pub(crate) struct TransactionOutput {
    pub(crate) success: bool,
    pub(crate) gas_used: u64,
    pub(crate) logs: Vec<Log>,
    /// Boxed since hardly any transaction has one.
    transfer: Option<Box<Transfer>>,
    /// There if somebody traces.
    pub(crate) notes: Option<Box<Notes>>,
}

impl TransactionOutput {
    /// The output of a plain transfer.
    fn transfer(gas_used: u64) -> Self {
        Self { success: true, gas_used, logs: Vec::new(), transfer: None, notes: None }
    }

    fn new(result: ExecutionResult) -> Self {
        Self {
            success: result.is_success(),
            gas_used: result.tx_gas_used(),
            logs: result.into_logs(),
            transfer: None,
            notes: None,
        }
    }
}

/// The error of a transaction, by consequence.
pub(crate) fn transaction_error(block: &Block, index: usize, error: MachineError) -> ExecutionError<Fault> {
    match error {
        EVMError::Transaction(error) => ExecutionError::Transaction {
            block: block.id,
            index,
            hash: block.transactions[index].hash,
            error,
        },
        EVMError::Database(error) => error.in_block(block.id),
        other => ExecutionError::Internal(format!("block {}, transaction {index}: {other}", block.id)),
    }
}

/// The error of a block's start or end, by consequence.
pub(crate) fn system_error(block: &Block, error: SystemError) -> ExecutionError<Fault> {
    match error {
        SystemError::Block(error) => ExecutionError::Block { block: block.id, error },
        SystemError::Machine(EVMError::Database(error)) => error.in_block(block.id),
        SystemError::Machine(other) => ExecutionError::Internal(format!("block {}: {other}", block.id)),
    }
}

/// The EVM as the engine's VM.
#[derive(Debug)]
pub(crate) struct EvmVm<'s> {
    pub(crate) pools: Pools<'s>,
    pub(crate) jobs: Jobs<'s>,
    /// Whether somebody wants to know what every step relied on.
    tracing: bool,
    /// How many transactions of a block are a part of it, if somebody wants to see the changes of parts.
    every: Option<NonZeroUsize>,
}

impl<'s> EvmVm<'s> {
    pub(crate) fn new(spare: &'s SpareContent, tracing: bool, every: Option<NonZeroUsize>) -> Self {
        Self { pools: Pools::new(spare), jobs: Jobs::default(), tracing, every }
    }

    /// Whether a part of the block ends with the transaction at `index`: somebody wants to know the changes until there.
    pub(crate) fn ends_part(&self, block: &Block, index: usize) -> bool {
        block.receipts_hold_roots() || self.every.is_some_and(|every| (index + 1).is_multiple_of(every.get()))
    }

    /// Whether the step behind this one can be executed in one run with it: it is of the same block, and of the same part.
    fn is_continuous(&self, block: &Block, part: Part) -> bool {
        match part {
            Part::Start => !block.receipts_hold_roots(),
            Part::Transaction(index) => !self.ends_part(block, index),
            Part::End => false,
        }
    }
}

/// One worker: its EVM, and the block it is at.
pub(crate) struct Worker<'r, 's> {
    machine: Machine<'r, 's>,
    current: Current<'s>,
    /// The block that it feeds steps of, far ahead of those that it executes.
    fed: Current<'s>,
    /// Whether the step behind the last one may continue its run.
    open: bool,
}

impl<'r, 's> Worker<'r, 's> {
    /// Goes to the block of this number, whose environment is set if it was at another one.
    fn enter(
        &mut self,
        number: u64,
        jobs: &Jobs<'s>,
    ) -> Result<(&mut Machine<'r, 's>, &Job<'s>), ExecutionError<Fault>> {
        let Self { machine, current, .. } = self;
        let (job, moved) = current.at(number, jobs)?;
        if moved {
            machine.set_block(&job.block);
        }
        Ok((machine, job))
    }
}

impl<'s> Vm for EvmVm<'s> {
    type Domain = EvmState;
    type Step = Step;
    type Output = Output;
    type Error = ExecutionError<Fault>;
    type Worker<'r>
        = Worker<'r, 's>
    where
        Self: 'r;

    fn worker<'r>(&'r self, view: View<'r, EvmState>) -> Worker<'r, 's> {
        let mut machine = Machine::new(Db::new(view, &self.pools));
        if self.tracing {
            machine.trace();
        }
        Worker { machine, current: Current::default(), fed: Current::default(), open: false }
    }

    fn view<'w, 'r>(&self, worker: &'w mut Worker<'r, 's>) -> &'w mut View<'r, EvmState>
    where
        Self: 'r,
    {
        &mut worker.machine.db().view
    }

    fn approach<'r>(&'r self, worker: &mut Worker<'r, 's>, step: &Step, count: usize)
    where
        Self: 'r,
    {
        let Part::Transaction(first) = step.part else { return };
        let Ok((machine, job)) = worker.enter(step.block, &self.jobs) else { return };
        let transactions = job.block.transactions.iter().skip(first).take(count);
        let addresses = transactions.flat_map(|transaction| {
            let env = &transaction.env;
            // The rest of it is wanted soon, too.
            std::hint::black_box((env.nonce, env.value, env.gas_price, env.gas_priority_fee));
            [Some(env.caller), env.kind.to().copied()].into_iter().flatten()
        });
        machine.db().fetch(job.store, job.world, addresses);
    }

    /// Calls of the same function of the same contract: of two in a row, every other one needs the one before on mainnet.
    fn group<'r>(&'r self, worker: &mut Worker<'r, 's>, step: &Step) -> Option<u64>
    where
        Self: 'r,
    {
        let Part::Transaction(index) = step.part else { return None };
        let (job, _) = worker.fed.at(step.block, &self.jobs).ok()?;
        let callee = job.block.transactions[index].callee?;
        // Blocks of different worlds have nothing to do with each other.
        Some(callee.wrapping_add(u64::from(job.world) << 32))
    }

    /// The gas limit: all that is known of a transaction's length before it executes.
    fn weight<'r>(&'r self, worker: &mut Worker<'r, 's>, step: &Step) -> u64
    where
        Self: 'r,
    {
        match (step.part, worker.fed.at(step.block, &self.jobs)) {
            (Part::Transaction(index), Ok((job, _))) => job.block.transactions[index].gas_limit,
            _ => 0,
        }
    }

    fn execute<'r>(&'r self, worker: &mut Worker<'r, 's>, step: &Step) -> Result<Output, Self::Error> {
        let Step { block, part } = step;
        worker.open = false;
        let (machine, job) = worker.enter(*block, &self.jobs)?;
        let block = &*job.block;
        block.check()?;
        if machine.db().view.is_continued() {
            machine.db().proceed();
        } else {
            machine.db().begin(job.store, job.world);
            machine.reset();
        }
        let continuous = self.is_continuous(block, *part);
        if let Part::Transaction(index) = part {
            machine.ctx().tx = block.transactions[*index].env.clone();
            let gas_used = transfer::execute(machine).map_err(|error| error.in_block(block.id))?;
            if let Some(gas_used) = gas_used {
                worker.open = continuous && !machine.db().closed;
                return Ok(Output::Transaction(TransactionOutput::transfer(gas_used)));
            }
        }
        let output = match part {
            Part::Start => {
                system::start(machine, block).map_err(|error| system_error(block, error))?;
                Output::Start
            }
            Part::Transaction(index) => {
                let result = OrderedHandler::default()
                    .run(machine)
                    .map_err(|error| transaction_error(block, *index, error))?;
                Output::Transaction(TransactionOutput::new(result))
            }
            Part::End => {
                Output::End(system::end(machine, block).map_err(|error| system_error(block, error))?)
            }
        };
        worker.open = continuous && !machine.db().closed;
        Ok(output)
    }

    fn continues<'r>(&'r self, worker: &Worker<'r, 's>) -> bool
    where
        Self: 'r,
    {
        worker.open
    }

    fn report<'r>(&'r self, worker: &mut Worker<'r, 's>, output: &mut Output) -> Result<(), Self::Error>
    where
        Self: 'r,
    {
        let Worker { machine, current, .. } = worker;
        let transfer = finish(machine.ctx(), &self.pools).map_err(|error| match current.job() {
            Some(job) => error.in_block(job.block.id),
            None => ExecutionError::Internal("a step was executed of no block".to_owned()),
        })?;
        if let Output::Transaction(output) = output {
            output.transfer = transfer.map(Box::new);
            output.notes = machine.db().notes.as_mut().map(|notes| Box::new(std::mem::take(notes)));
        }
        Ok(())
    }

    fn records_always(&self) -> bool {
        self.tracing
    }

    fn repair(&self, _step: &Step, repair: &mut Repair<'_, Self>) -> bool {
        match repair.output {
            Output::Transaction(TransactionOutput { transfer: Some(transfer), .. }) => {
                transfer.shift(repair.violated, repair.effects)
            }
            _ => false,
        }
    }
}
