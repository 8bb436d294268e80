//! Traces blocks by executing them in order, on one thread.

use crate::trace::{StateKey, Trace, TracedBlock};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tandem_evm::{
    Block, BlockInput, Config, EventKind, ExecutionError, Executor, Field, Finished, Location, StepPart,
    StepTrace, StorageNotes, StorageTracing, StoreRef, TransactionTrace,
};
use tandem_state::Store;
use thiserror::Error;

/// A block to trace.
#[derive(Clone, Debug)]
pub struct Input<'a, S> {
    /// How reports name it.
    pub name: String,
    /// The block.
    pub block: Arc<Block>,
    /// The state before it.
    pub store: &'a S,
}

/// Why blocks cannot be traced.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum TraceError {
    /// A block is invalid. The message names it.
    #[error("{0}")]
    Invalid(String),
    /// The rules of a block are not supported. The message names it and its fork.
    #[error("{0}")]
    Unsupported(String),
    /// The state failed, or something that cannot happen did.
    #[error("{0}")]
    Fault(String),
}

impl<E: std::fmt::Display> From<ExecutionError<E>> for TraceError {
    fn from(error: ExecutionError<E>) -> Self {
        match error {
            ExecutionError::Transaction { .. } | ExecutionError::Block { .. } => {
                Self::Invalid(error.to_string())
            }
            ExecutionError::Fork { .. } => Self::Unsupported(error.to_string()),
            ExecutionError::Fault { .. }
            | ExecutionError::Order { .. }
            | ExecutionError::NoCode { .. }
            | ExecutionError::Internal(_) => Self::Fault(error.to_string()),
        }
    }
}

/// Traces blocks, each on its own state. A step's time is the least of `repeats` executions. `progress` is called once
/// for each execution of a block, traced or timed, of which there are `repeats + 1`.
///
/// # Errors
///
/// If a block is invalid or its state fails.
pub fn record<S>(
    inputs: &[Input<'_, S>],
    repeats: usize,
    progress: &(dyn Fn() + Sync),
) -> Result<Trace, TraceError>
where
    S: Store + Sync,
    S::Error: std::error::Error + Send + Sync + 'static,
{
    let worlds: Vec<u32> = (0..inputs.len() as u32).collect();
    record_chains(inputs, &worlds, repeats, progress)
}

/// Like [`record`], of blocks that follow one another: `worlds` says which world each block belongs to, and a block is
/// executed on what the earlier ones of its world left. Only the state before the first of them counts.
///
/// # Errors
///
/// If a block is invalid or a state fails.
pub fn record_chains<S>(
    inputs: &[Input<'_, S>],
    worlds: &[u32],
    repeats: usize,
    progress: &(dyn Fn() + Sync),
) -> Result<Trace, TraceError>
where
    S: Store + Sync,
    S::Error: std::error::Error + Send + Sync + 'static,
{
    let fault = |error: tandem_evm::ConfigError| TraceError::Fault(error.to_string());
    let executor = Executor::new(&Config::default().threads(1).timelines(true)).map_err(fault)?;
    let stores: Vec<_> = inputs.iter().map(|input| StoreRef(input.store)).collect();
    let blocks = || {
        let blocks = inputs.iter().zip(&stores).zip(worlds);
        blocks.map(|((input, store), world)| BlockInput { block: input.block.clone(), store, world: *world })
    };
    let (mut steps, mut notes) = (Vec::new(), Vec::new());
    let stream = executor.stream(blocks()).trace_steps(|step| steps.push(step)).inspect(&StorageTracing);
    let (outcome, _) = stream.run(|finished| {
        for block in finished {
            notes.extend(block?.traces);
            progress();
        }
        Ok::<_, TraceError>(())
    });
    outcome?;
    let mut trace = assemble(inputs, steps, notes)?;
    let mut times = vec![Duration::MAX; trace.steps.len()];
    for _ in 0..repeats {
        let (outcome, metrics) = executor.stream(blocks()).run(|finished| drain(finished, progress));
        outcome?;
        for event in metrics.timelines.iter().flatten() {
            if matches!(event.kind, EventKind::Execution { .. })
                && let Some(time) = times.get_mut(event.position as usize)
            {
                *time = event.time.min(*time);
            }
        }
    }
    for (step, time) in trace.steps.iter_mut().zip(times) {
        step.time = if time == Duration::MAX { Duration::ZERO } else { time };
    }
    Ok(trace)
}

/// Waits for all blocks.
fn drain<S>(finished: Finished<'_, '_, StoreRef<'_, S>>, progress: &dyn Fn()) -> Result<(), TraceError>
where
    S: Store + Sync,
    S::Error: std::error::Error + Send + Sync + 'static,
{
    for block in finished {
        block?;
        progress();
    }
    Ok(())
}

fn assemble<S>(
    inputs: &[Input<'_, S>],
    steps: Vec<StepTrace>,
    notes: Vec<StorageNotes>,
) -> Result<Trace, TraceError> {
    let mut notes = notes.into_iter();
    let mut trace = Trace::default();
    let mut inputs = inputs.iter();
    let mut ended = true;
    for step in steps {
        if ended {
            let Some(input) = inputs.next() else {
                return Err(TraceError::Fault("there are more steps than the blocks have".to_owned()));
            };
            trace.push_block(traced_block(input));
        }
        ended = step.part == StepPart::End;
        let notes = step.transaction.as_ref().and_then(|_| notes.next()).unwrap_or_default();
        trace.push_step(step.part, &step.reads, &step.writes, step.transaction, notes);
    }
    Ok(trace)
}

fn traced_block<S>(input: &Input<'_, S>) -> TracedBlock {
    let header = input.block.header();
    TracedBlock {
        name: input.name.clone(),
        chain_id: input.block.id().chain_id,
        number: header.number,
        hash: header.hash_slow(),
        parent: header.parent_hash,
        beneficiary: header.beneficiary,
        steps: 0..0,
    }
}

/// Finds out which of the given steps, transactions all, take the same path on the state before their block: the same gas,
/// the same accounts and slots, the same logs but for their data. `progress` is called once for each of them.
///
/// # Errors
///
/// If a state fails.
pub fn compare_paths<S>(
    trace: &mut Trace,
    inputs: &[Input<'_, S>],
    candidates: &[usize],
    progress: &dyn Fn(),
) -> Result<(), TraceError>
where
    S: Store + Sync,
    S::Error: std::error::Error + Send + Sync + 'static,
{
    let fault = |error: tandem_evm::ConfigError| TraceError::Fault(error.to_string());
    let executor = Executor::new(&Config::default().threads(1)).map_err(fault)?;
    for &index in candidates {
        progress();
        let step = &trace.steps[index];
        let (StepPart::Transaction(number), Some(transaction)) = (step.part, &step.transaction) else {
            continue;
        };
        let input = &inputs[step.block];
        let state_keys: BTreeSet<_> =
            step.reads.iter().filter_map(|read| accessed(trace.location(read.location))).collect();
        let store = StoreRef(input.store);
        let block = BlockInput::new(input.block.alone(number), &store);
        let mut alone = None;
        let (outcome, _) = executor
            .stream([block])
            .trace_steps(|step| alone = alone.take().or_else(|| step.transaction.is_some().then_some(step)))
            .run(|mut finished| finished.next());
        let keeps_path = match outcome {
            Some(Err(
                error @ (ExecutionError::Fault { .. }
                | ExecutionError::Order { .. }
                | ExecutionError::NoCode { .. }
                | ExecutionError::Internal(_)),
            )) => {
                return Err(error.into());
            }
            Some(Err(_)) | None => false,
            Some(Ok(_)) => alone.is_some_and(|alone| {
                let others: BTreeSet<_> =
                    alone.reads.iter().filter_map(|read| accessed(read.location)).collect();
                others == state_keys && alone.transaction.is_some_and(|other| same_path(transaction, &other))
            }),
        };
        trace.steps[index].keeps_path = keeps_path;
    }
    Ok(())
}

/// The account, which is always observed with its code, or the slot.
fn accessed(location: Location) -> Option<StateKey> {
    matches!(location.field, Field::Code | Field::Slot { .. }).then(|| location.into())
}

fn same_path(a: &TransactionTrace, b: &TransactionTrace) -> bool {
    a.success == b.success
        && a.gas_used == b.gas_used
        && a.logs.len() == b.logs.len()
        && a.logs
            .iter()
            .zip(&b.logs)
            .all(|(a, b)| a.address == b.address && a.data.topics().first() == b.data.topics().first())
}
