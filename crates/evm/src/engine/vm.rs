use super::consumption::Consumption;
use super::db::Db;
use super::in_flight::{Current, Job, Jobs};
use super::inspected::Inspected;
use super::kept::SpareContent;
use super::location::{EvmState, Key, Value};
use super::machine::Machine;
use super::options::Options;
use super::ordered::{OrderedOf, end_start};
use super::pools::Pools;
use super::report::report;
use super::step::{Output, Part, Step, TransactionOutput};
use super::transfer;
use crate::error::ExecutionError;
use crate::protocol::tracing::Tracing;
use crate::protocol::{Block, Protocol};
use crate::state::Fault;
use revm::context::Transaction;
use revm::context::result::ExecutionResult;
use revm::handler::{EvmTr, Handler};
use revm::inspector::InspectorHandler;
use std::num::NonZeroUsize;
use tandem_stm::{Repair, View, Vm};

/// The EVM as the engine's VM.
#[derive(Debug)]
pub(crate) struct EvmVm<'s, P: Protocol, T> {
    pub(crate) pools: Pools<'s>,
    pub(crate) jobs: Jobs<'s, P>,
    pub(crate) consumption: Consumption,
    /// Whether somebody wants to know what every step relied on.
    tells_steps: bool,
    pub(crate) options: Options,
    /// Watches transactions.
    tracing: &'s T,
    /// How many transactions of a block are a part of it, if somebody wants to see the changes of parts.
    every: Option<NonZeroUsize>,
}

impl<'s, P: Protocol, T: Tracing<P>> EvmVm<'s, P, T> {
    pub(crate) fn new(
        spare: &'s SpareContent,
        tracing: &'s T,
        options: Options,
        tells_steps: bool,
        every: Option<NonZeroUsize>,
    ) -> Self {
        Self {
            pools: Pools::new(spare),
            jobs: Jobs::default(),
            consumption: Consumption::default(),
            tells_steps,
            options,
            tracing,
            every,
        }
    }

    /// Whether a part of the block ends with the transaction at `index`: somebody wants to know the changes until there.
    pub(crate) fn ends_part(&self, block: &Block<P>, index: usize) -> bool {
        block.protocol().tells_each_transaction(block)
            || self.every.is_some_and(|every| (index + 1).is_multiple_of(every.get()))
    }

    /// Whether the step behind this one can be executed in one run with it: it is of the same block, and of the same part.
    fn is_continuous(&self, block: &Block<P>, part: Part) -> bool {
        // What looks at the state sees one transaction at a time, and nothing of what happens before the first.
        if T::IS_ON && self.tracing.looks_at_state() {
            return false;
        }
        match part {
            Part::Start => !block.protocol().tells_each_transaction(block),
            Part::Transaction(index) => !self.ends_part(block, index),
            Part::End => false,
        }
    }
}

/// One worker: its EVM, and the block it is at.
pub(crate) struct Worker<'r, 's, P: Protocol> {
    machine: Machine<'r, P>,
    current: Current<'s, P>,
    /// The block that it feeds steps of, far ahead of those that it executes.
    fed: Current<'s, P>,
    /// Whether the step behind the last one may continue its run.
    open: bool,
    /// Whether the journal is right for the step behind the last run, if that becomes final as it is.
    journal_goes_on: bool,
}

impl<'r, 's, P: Protocol> Worker<'r, 's, P> {
    /// Goes to the block of this number, whose environment is set if it was at another one.
    fn enter(
        &mut self,
        number: u64,
        jobs: &Jobs<'s, P>,
    ) -> Result<(&mut Machine<'r, P>, &Job<'s, P>), ExecutionError<Fault>> {
        let Self { machine, current, .. } = self;
        let (job, moved) = current.at(number, jobs)?;
        if moved {
            machine.set_block(&job.block);
        }
        Ok((machine, job))
    }
}

/// Executes a transaction.
fn execute<P: Protocol, T: Tracing<P>>(
    machine: &mut Machine<'_, P>,
    tracing: &T,
    options: Options,
    block: &Block<P>,
    index: usize,
) -> Result<TransactionOutput<T::Trace>, ExecutionError<Fault>> {
    machine.set_transaction(block.transaction(index).clone(), block.protocol().context(block, index));
    let (result, trace) = if T::IS_ON {
        let (result, trace) = inspect(machine, tracing, block, index)?;
        (result, Some(trace))
    } else {
        let transferred = transfer::execute(machine, block).map_err(|error| error.in_block(block.id()))?;
        let result = match transferred {
            Some(result) => result,
            None => OrderedOf::<P, _>::default()
                .run(machine)
                .map_err(|error| block.transaction_error(index, error))?,
        };
        (result, None)
    };
    let kept = options.keeps_results.then(|| Box::new(result.clone()));
    Ok(TransactionOutput { executed: result.into(), result: kept, transfer: None, trace })
}

/// Executes a transaction, watched.
fn inspect<P: Protocol, T: Tracing<P>>(
    machine: &mut Machine<'_, P>,
    tracing: &T,
    block: &Block<P>,
    index: usize,
) -> Result<(ExecutionResult, T::Trace), ExecutionError<Fault>> {
    let ledger = &mut machine.db().ledger;
    ledger.inspected = tracing.looks_at_state();
    ledger.exact |= ledger.inspected;
    let mut inspected = Inspected { machine, inspector: tracing.begin(block, index) };
    let result = OrderedOf::<P, _>::default()
        .inspect_run(&mut inspected)
        .map_err(|error| block.transaction_error(index, error))?;
    let Inspected { machine, inspector } = inspected;
    let trace = tracing.end(inspector, &result, machine.ctx());
    Ok((result, trace))
}

impl<'s, P: Protocol, T: Tracing<P>> Vm for EvmVm<'s, P, T> {
    type Domain = EvmState;
    type Step = Step;
    type Output = Output<P, T::Trace>;
    type Error = ExecutionError<Fault>;
    type Worker<'r>
        = Worker<'r, 's, P>
    where
        Self: 'r;

    fn worker<'r>(&'r self, view: View<'r, EvmState>) -> Worker<'r, 's, P> {
        let machine = Machine::new(Db::new(view, &self.pools));
        Worker {
            machine,
            current: Current::default(),
            fed: Current::default(),
            open: false,
            journal_goes_on: false,
        }
    }

    fn view<'w, 'r>(&self, worker: &'w mut Worker<'r, 's, P>) -> &'w mut View<'r, EvmState>
    where
        Self: 'r,
    {
        &mut worker.machine.db().view
    }

    fn prefetch<'r>(&'r self, worker: &mut Worker<'r, 's, P>, step: &Step, count: usize)
    where
        Self: 'r,
    {
        let Part::Transaction(first) = step.part else { return };
        let Ok((machine, job)) = worker.enter(step.block, &self.jobs) else { return };
        let transactions = job.block.transactions.iter().skip(first).take(count);
        let addresses = transactions.flat_map(|transaction| {
            let tx = &transaction.tx;
            // The rest of it is wanted soon, too.
            std::hint::black_box((tx.nonce(), tx.value(), tx.gas_price(), tx.max_priority_fee_per_gas()));
            [Some(tx.caller()), tx.kind().to().copied()].into_iter().flatten()
        });
        machine.db().fetch(job.store, job.world, addresses);
    }

    /// Calls of the same function of the same contract: of two in a row, every other one needs the one before on mainnet.
    fn conflict_class<'r>(&'r self, worker: &mut Worker<'r, 's, P>, step: &Step) -> Option<u64>
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
    fn weight<'r>(&'r self, worker: &mut Worker<'r, 's, P>, step: &Step) -> u64
    where
        Self: 'r,
    {
        match (step.part, worker.fed.at(step.block, &self.jobs)) {
            (Part::Transaction(index), Ok((job, _))) => job.block.transactions[index].gas_limit,
            _ => 0,
        }
    }

    fn execute<'r>(
        &'r self,
        worker: &mut Worker<'r, 's, P>,
        step: &Step,
    ) -> Result<Output<P, T::Trace>, Self::Error> {
        let Step { block, part } = step;
        worker.open = false;
        let journal_goes_on = std::mem::take(&mut worker.journal_goes_on);
        let (machine, job) = worker.enter(*block, &self.jobs)?;
        let block = &*job.block;
        block.check()?;
        job.check_order()?;
        if machine.db().view.is_continued() {
            machine.db().ledger.proceed();
        } else {
            let view = &machine.db().view;
            let needs_notes = view.is_recording() || !view.is_alone();
            let notes_loads = needs_notes || T::IS_ON || !block.protocol().keeps_to_journal();
            let goes_on = journal_goes_on && !notes_loads && machine.db().view.follows_last_run();
            machine.db().begin(job.store, job.world, notes_loads);
            if !goes_on {
                machine.reset();
            }
        }
        let continuous = self.is_continuous(block, *part);
        let output = match part {
            Part::Start => {
                block.protocol().start(block, machine).map_err(|error| error.in_block(block.id()))?;
                end_start(machine.ctx());
                Output::Start
            }
            Part::Transaction(index) => {
                Output::Transaction(execute(machine, self.tracing, self.options, block, *index)?)
            }
            Part::End => {
                let end = block.protocol().end(block, machine);
                Output::End(end.map_err(|error| error.in_block(block.id()))?)
            }
        };
        let ledger = &machine.db().ledger;
        let (open, goes_on) = (continuous && !ledger.run_must_end, ledger.keeps_journal());
        worker.open = open;
        worker.journal_goes_on = goes_on && !matches!(part, Part::End);
        Ok(output)
    }

    fn continues<'r>(&'r self, worker: &Worker<'r, 's, P>) -> bool
    where
        Self: 'r,
    {
        worker.open
    }

    fn report<'r>(
        &'r self,
        worker: &mut Worker<'r, 's, P>,
        output: &mut Output<P, T::Trace>,
    ) -> Result<(), Self::Error>
    where
        Self: 'r,
    {
        let Worker { machine, current, .. } = worker;
        let transfer = report(machine.ctx(), &self.pools).map_err(|error| match current.job() {
            Some(job) => error.in_block(job.block.id()),
            None => ExecutionError::Internal("a step was executed of no block".to_owned()),
        })?;
        if let Output::Transaction(output) = output {
            output.transfer = transfer.map(Box::new);
        }
        Ok(())
    }

    fn reject(&self, _step: &Step, error: Self::Error) -> Result<Self::Output, Self::Error> {
        match error {
            ExecutionError::Transaction { error, .. } if self.options.skips => {
                Ok(Output::Skipped(Box::new(error.into())))
            }
            error => Err(error),
        }
    }

    fn retire(&self, changed: &mut dyn Iterator<Item = (Key, Value)>) -> bool {
        if self.options.consumer_commits {
            self.consumption.wait();
            self.pools.forget();
        } else {
            self.pools.retire(changed);
        }
        true
    }

    fn records_always(&self) -> bool {
        self.tells_steps
    }

    fn repair(&self, _step: &Step, repair: &mut Repair<'_, Self>) -> bool {
        match repair.output {
            // A trace shows what was moved.
            Output::Transaction(TransactionOutput { transfer: Some(transfer), trace: None, .. }) => {
                transfer.shift(repair.violated, repair.effects)
            }
            _ => false,
        }
    }
}
