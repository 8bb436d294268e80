use crate::block::Block;
use crate::db::{Db, Pools, SpareContent};
use crate::error::ExecutionError;
use crate::finish::finish;
use crate::handler::OrderedHandler;
use crate::location::EvmState;
use crate::machine::{Machine, MachineError};
use crate::repair::Transfer;
use crate::system::{self, SystemError};
use crate::trace::Notes;
use crate::transfer;
use alloy_eips::eip7685::Requests;
use alloy_primitives::Log;
use revm::context::result::{EVMError, ExecutionResult};
use revm::database_interface::DatabaseRef;
use revm::handler::{EvmTr, Handler};
use std::marker::PhantomData;
use std::sync::Arc;
use tandem_stm::{Repair, View, Vm};

/// A block on its way through the stream.
#[derive(Debug)]
pub(crate) struct Job<'s, S> {
    pub(crate) block: Arc<Block>,
    pub(crate) store: &'s S,
    pub(crate) world: u32,
}

/// Which part of its block a step is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Start,
    Transaction(usize),
    End,
}

/// One unit of the stream.
#[derive(Debug)]
pub(crate) struct Step<'s, S> {
    pub(crate) job: Arc<Job<'s, S>>,
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
pub(crate) fn transaction_error<S: DatabaseRef>(
    block: &Block,
    index: usize,
    error: MachineError<S>,
) -> ExecutionError<S::Error> {
    match error {
        EVMError::Transaction(error) => ExecutionError::Transaction {
            block: block.id,
            index,
            hash: block.transactions[index].hash,
            error,
        },
        EVMError::Database(error) => ExecutionError::Fault { block: block.id, error: error.0 },
        other => ExecutionError::Internal(format!("block {}, transaction {index}: {other}", block.id)),
    }
}

/// The error of a block's start or end, by consequence.
pub(crate) fn system_error<S: DatabaseRef>(block: &Block, error: SystemError<S>) -> ExecutionError<S::Error> {
    match error {
        SystemError::Block(error) => ExecutionError::Block { block: block.id, error },
        SystemError::Machine(EVMError::Database(error)) => {
            ExecutionError::Fault { block: block.id, error: error.0 }
        }
        SystemError::Machine(other) => ExecutionError::Internal(format!("block {}: {other}", block.id)),
    }
}

/// The EVM as the engine's VM.
#[derive(Debug)]
pub(crate) struct EvmVm<'s, S> {
    pub(crate) pools: Pools<'s>,
    /// Whether somebody wants to know what every step relied on.
    tracing: bool,
    store: PhantomData<&'s S>,
}

impl<'s, S> EvmVm<'s, S> {
    pub(crate) fn new(spare: &'s SpareContent, tracing: bool) -> Self {
        Self { pools: Pools::new(spare), tracing, store: PhantomData }
    }
}

/// One worker: its EVM, and the block whose environment is set.
pub(crate) struct Worker<'r, 's, S: DatabaseRef + Sync> {
    machine: Machine<'r, 's, S>,
    block: Option<Arc<Block>>,
}

impl<'s, S: DatabaseRef + Sync> Vm for EvmVm<'s, S> {
    type Domain = EvmState;
    type Step = Step<'s, S>;
    type Output = Output;
    type Error = ExecutionError<S::Error>;
    type Worker<'r>
        = Worker<'r, 's, S>
    where
        Self: 'r;

    fn worker<'r>(&'r self, view: View<'r, Self>) -> Worker<'r, 's, S> {
        let mut machine = Machine::new(Db::new(view, &self.pools));
        if self.tracing {
            machine.trace();
        }
        Worker { machine, block: None }
    }

    fn view<'w, 'r>(&self, worker: &'w mut Worker<'r, 's, S>) -> &'w mut View<'r, Self>
    where
        Self: 'r,
    {
        &mut worker.machine.db().view
    }

    fn approach<'r>(&'r self, worker: &mut Worker<'r, 's, S>, step: &Step<'s, S>, count: usize)
    where
        Self: 'r,
    {
        let Part::Transaction(first) = step.part else { return };
        let transactions = step.job.block.transactions.iter().skip(first).take(count);
        let addresses = transactions.flat_map(|transaction| {
            let env = &transaction.env;
            [Some(env.caller), env.kind.to().copied()].into_iter().flatten()
        });
        worker.machine.db().fetch(step.job.store, step.job.world, addresses);
    }

    fn execute<'r>(
        &'r self,
        worker: &mut Worker<'r, 's, S>,
        step: &Step<'s, S>,
    ) -> Result<Output, Self::Error> {
        let Step { job, part } = step;
        let block = &job.block;
        let Worker { machine, block: current } = worker;
        if !current.as_ref().is_some_and(|current| Arc::ptr_eq(current, block)) {
            machine.set_block(block);
            *current = Some(block.clone());
        }
        machine.db().begin(job.store, job.world);
        if let Part::Transaction(index) = part {
            machine.ctx().tx = block.transactions[*index].env.clone();
            let gas_used = transfer::execute(machine)
                .map_err(|error| ExecutionError::Fault { block: block.id, error: error.0 })?;
            if let Some(gas_used) = gas_used {
                return Ok(Output::Transaction(TransactionOutput::transfer(gas_used)));
            }
        }
        machine.reset();
        let mut output = match part {
            Part::Start => {
                system::start(machine, block).map_err(|error| system_error::<S>(block, error))?;
                Output::Start
            }
            Part::Transaction(index) => {
                let result = OrderedHandler::default()
                    .run(machine)
                    .map_err(|error| transaction_error::<S>(block, *index, error))?;
                Output::Transaction(TransactionOutput::new(result))
            }
            Part::End => {
                Output::End(system::end(machine, block).map_err(|error| system_error::<S>(block, error))?)
            }
        };
        let transfer = finish(machine.ctx(), &self.pools)
            .map_err(|error| ExecutionError::Fault { block: block.id, error: error.0 })?;
        if let Output::Transaction(output) = &mut output {
            output.transfer = transfer.map(Box::new);
            output.notes = machine.db().notes.as_mut().map(|notes| Box::new(std::mem::take(notes)));
        }
        Ok(output)
    }

    fn records_always(&self) -> bool {
        self.tracing
    }

    fn repair(&self, _step: &Step<'s, S>, repair: &mut Repair<'_, Self>) -> bool {
        match repair.output {
            Output::Transaction(TransactionOutput { transfer: Some(transfer), .. }) => {
                transfer.shift(repair.violated, repair.effects)
            }
            _ => false,
        }
    }
}
