//! The reference: `fvm` as published, executing one message after the other.

use fvm::call_manager::DefaultCallManager;
use fvm::engine::EnginePool;
use fvm::executor::{ApplyKind, DefaultExecutor, Executor as _};
use fvm::externs::Externs;
use fvm::kernel::filecoin::DefaultFilecoinKernel;
use fvm::machine::{DefaultMachine, MachineContext};
use fvm_ipld_blockstore::Blockstore;

use crate::checks::Stats;
use crate::stack::on_large_stack;
use crate::step::{Step, TipsetResult};

type Machine<B, E> = DefaultMachine<B, E>;
type Kernel<B, E> = DefaultFilecoinKernel<DefaultCallManager<Machine<B, E>>>;

/// Executes the steps in order on an unmodified machine, kernel and executor. Writes the new blocks to the store.
///
/// # Errors
/// If the state cannot be read, or a message is one that no block may contain.
pub fn execute<B, E>(
    pool: EnginePool,
    context: &MachineContext,
    store: B,
    externs: E,
    steps: &[Step],
) -> anyhow::Result<TipsetResult>
where
    B: Blockstore + Send + 'static,
    E: Externs + Send + 'static,
{
    execute_observed(pool, context, store, externs, steps, &|| ())
}

/// As [`execute`]; calls `done` after each step.
///
/// # Errors
/// As [`execute`].
pub fn execute_observed<B, E>(
    pool: EnginePool,
    context: &MachineContext,
    store: B,
    externs: E,
    steps: &[Step],
    done: &(dyn Fn() + Sync),
) -> anyhow::Result<TipsetResult>
where
    B: Blockstore + Send + 'static,
    E: Externs + Send + 'static,
{
    on_large_stack(|| {
        let machine = DefaultMachine::new(context, store, externs)?;
        let mut executor = DefaultExecutor::<Kernel<B, E>>::new(pool, machine)?;
        let mut results = Vec::with_capacity(steps.len());
        for step in steps {
            let (kind, raw_length) = match step {
                Step::Explicit { raw_length, .. } => (ApplyKind::Explicit, *raw_length),
                Step::Implicit { .. } => (ApplyKind::Implicit, 0),
            };
            let ret = executor.execute_message(step.message().clone(), kind, raw_length)?;
            results.push(ret.into());
            done();
        }
        Ok(TipsetResult {
            results,
            root: executor.flush()?,
            stats: Stats { at_turn: steps.len() as u64, ..Stats::default() },
        })
    })
}
