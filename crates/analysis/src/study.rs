//! The dispatchers of BSC's Parallel EVM 1.0 and 2.0, simulated on a trace, one block at a time.

use crate::model::{Access, Model, accesses};
use crate::schedule::speed_up;
use crate::trace::{LocationId, Trace};
use alloy_primitives::Address;
use alloy_primitives::map::{HashMap, HashSet};
use std::time::Duration;
use tandem_evm::{Field, Location};

/// Which slot executes a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dispatch {
    /// The slot that is free first.
    Idle,
    /// The slot that last had a transaction with the same sender or recipient, else the one that is free first.
    SameAddress,
}

/// When a slot goes on, and which results its transactions see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Confirmation {
    /// 1.0: a slot waits until its transaction is confirmed, in order; transactions see confirmed results.
    Pipeline,
    /// 2.0: a slot goes on at once; transactions see executed results, confirmed or not.
    Streaming,
}

/// A variant of such an engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Variant {
    /// Which slot executes a transaction.
    pub dispatch: Dispatch,
    /// Whether accounts conflict as a whole, instead of fields and slots.
    pub whole_accounts: bool,
    /// Whether storing the value that is there already is a write.
    pub no_op_writes: bool,
    /// Whether what a failed transaction stored and took back is a write.
    pub reverted_writes: bool,
    /// When a slot goes on.
    pub confirmation: Confirmation,
}

/// A variant's result on a trace.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StudyResult {
    /// Share of the transactions that conflict, and execute twice.
    pub conflicts: f64,
    /// How many times as fast as one by one.
    pub speed_up: f64,
}

/// A transaction's reads and writes.
#[derive(Default)]
struct Keys {
    reads: Vec<LocationId>,
    writes: Vec<LocationId>,
}

/// Simulates a variant with so many slots. A transaction that conflicts executes again at its turn.
pub fn study(trace: &Trace, variant: Variant, slots: usize) -> StudyResult {
    let keys = keys(trace, variant);
    let (mut conflicts, mut time, mut serial) = (0, Duration::ZERO, Duration::ZERO);
    for block in &trace.blocks {
        let (block_conflicts, block_time) = simulate(trace, variant, slots, &keys, block.steps.clone());
        conflicts += block_conflicts;
        time += block_time;
        serial += block.steps.clone().filter_map(|step| transaction_time(trace, step)).sum::<Duration>();
    }
    let conflicts = conflicts as f64 / trace.transactions().max(1) as f64;
    StudyResult { conflicts, speed_up: speed_up(serial, time) }
}

fn transaction_time(trace: &Trace, step: usize) -> Option<Duration> {
    trace.steps[step].transaction.is_some().then_some(trace.steps[step].time)
}

fn simulate(
    trace: &Trace,
    variant: Variant,
    slots: usize,
    keys: &[Keys],
    steps: std::ops::Range<usize>,
) -> (usize, Duration) {
    let mut free = vec![Duration::ZERO; slots.max(1)];
    let mut last_of = HashMap::<Address, usize>::default();
    // When the last write of a key can be seen.
    let mut written = HashMap::<LocationId, Duration>::default();
    let (mut conflicts, mut confirmed) = (0, Duration::ZERO);
    for index in steps {
        let step = &trace.steps[index];
        let Some(transaction) = &step.transaction else { continue };
        let addresses = [Some(transaction.sender), transaction.recipient];
        let known = addresses.into_iter().flatten().find_map(|address| last_of.get(&address).copied());
        let idle = (0..free.len()).min_by_key(|slot| free[*slot]).unwrap_or(0);
        let slot = match variant.dispatch {
            Dispatch::Idle => idle,
            Dispatch::SameAddress => known.unwrap_or(idle),
        };
        for address in addresses.into_iter().flatten() {
            last_of.insert(address, slot);
        }
        let start = free[slot];
        let executed = start + step.time;
        let is_stale = |key: &LocationId| written.get(key).is_some_and(|seen| *seen > start);
        let conflict = keys[index].reads.iter().any(is_stale);
        conflicts += usize::from(conflict);
        let again = if conflict { step.time } else { Duration::ZERO };
        confirmed = executed.max(confirmed) + again;
        let seen = match variant.confirmation {
            Confirmation::Streaming if !conflict => executed,
            _ => confirmed,
        };
        free[slot] = match variant.confirmation {
            Confirmation::Pipeline => confirmed,
            Confirmation::Streaming => executed,
        };
        for key in &keys[index].writes {
            let latest = written.entry(*key).or_default();
            *latest = seen.max(*latest);
        }
    }
    (conflicts, confirmed)
}

/// Each step's reads and writes, as a variant sees them.
fn keys(trace: &Trace, variant: Variant) -> Vec<Keys> {
    let model = if variant.whole_accounts { Model::Account } else { Model::Field };
    let mut accounts = HashMap::<(u32, Address), LocationId>::default();
    let mut unit = |id: LocationId| {
        if !variant.whole_accounts {
            return id;
        }
        let Location { world, address, .. } = trace.location(id);
        let count = accounts.len();
        *accounts.entry((world, address)).or_insert(count)
    };
    let of_step = |index: usize| {
        let step = &trace.steps[index];
        let (mut reads, mut writes) = (HashSet::<LocationId>::default(), HashSet::<LocationId>::default());
        for (location, access) in accesses(trace, step, model) {
            match access {
                Access::Read | Access::Bound(_) => reads.insert(unit(location)),
                // Fees are added up at the end of the block.
                Access::Move(_) => false,
                Access::Write(_) => writes.insert(unit(location)),
            };
        }
        if let Some(transaction) = &step.transaction {
            let counts = if transaction.success { variant.no_op_writes } else { variant.reverted_writes };
            let world = step.reads.first().map(|read| trace.location(read.location).world);
            for (address, slot) in step.notes.stores.iter().filter(|_| counts) {
                let field = Field::Slot { slot: *slot, generation: 0 };
                let find = |world| trace.find(Location { world, address: *address, field });
                writes.extend(world.and_then(find).map(&mut unit));
            }
        }
        Keys { reads: reads.into_iter().collect(), writes: writes.into_iter().collect() }
    };
    (0..trace.steps.len()).map(of_step).collect()
}
