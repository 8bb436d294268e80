//! The record of an actual run.

use crate::record::{Input, TraceError};
use std::time::{Duration, Instant};
use tandem_evm::{
    BlockInput, Config, Event, EventKind, ExecutionError, Executor, FinishedBlock, Metrics, StoreRef,
};
use tandem_state::Store;

/// A run of the engine over all blocks, as one stream.
#[derive(Clone, Debug)]
pub struct ActualRun {
    /// From start to end.
    pub time: Duration,
    /// The engine's counters, with a timeline for each worker.
    pub metrics: Metrics,
}

/// The work of one worker.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WorkerSummary {
    /// Executions while earlier steps were in flight.
    pub speculative: usize,
    /// Executions at the step's turn.
    pub frontier: usize,
    /// Executions of steps that had been executed before.
    pub again: usize,
    /// Results that it found invalid.
    pub conflicts: usize,
    /// Results that it repaired.
    pub repairs: usize,
    /// Time in executing, waiting not counted.
    pub busy: Duration,
    /// Time in waiting for steps that were being executed again.
    pub waited: Duration,
}

impl ActualRun {
    /// Executes all blocks with the given settings.
    ///
    /// # Errors
    ///
    /// If a block is invalid or its state fails.
    pub fn new<S>(config: &Config, inputs: &[Input<'_, S>]) -> Result<Self, TraceError>
    where
        S: Store + Sync,
        S::Error: std::error::Error + Send + Sync + 'static,
    {
        let executor = Executor::new(&config.clone().timelines(true))
            .map_err(|error| TraceError::Fault(error.to_string()))?;
        let stores: Vec<_> = inputs.iter().map(|input| StoreRef(input.store)).collect();
        let blocks = inputs.iter().zip(&stores).enumerate().map(|(world, (input, store))| BlockInput {
            block: input.block.clone(),
            store,
            world: world as u32,
        });
        let start = Instant::now();
        let (outcome, metrics) = executor
            .stream(blocks)
            .run(|finished| finished.collect::<Result<Vec<FinishedBlock>, ExecutionError<_>>>());
        let time = start.elapsed();
        outcome?;
        Ok(Self { time, metrics })
    }

    /// The work of each worker.
    pub fn workers(&self) -> Vec<WorkerSummary> {
        self.metrics.timelines.iter().map(|timeline| summary(timeline)).collect()
    }
}

fn summary(timeline: &[Event]) -> WorkerSummary {
    let mut sum = WorkerSummary::default();
    for event in timeline {
        match event.kind {
            EventKind::Execution { speculative, incarnation, waited, .. } => {
                *(if speculative { &mut sum.speculative } else { &mut sum.frontier }) += 1;
                sum.again += usize::from(incarnation > 0);
                sum.busy += event.time.saturating_sub(waited);
                sum.waited += waited;
            }
            EventKind::Conflict | EventKind::EarlyConflict => sum.conflicts += 1,
            EventKind::Repair => sum.repairs += 1,
        }
    }
    sum
}

/// A timeline in `columns` letters: the activity that took most of each column's time. `s` speculating, `f` executing at the frontier,
/// `r` executing again, `w` waiting for another step; `.` nothing of these.
pub fn letters(timeline: &[Event], end: Duration, columns: usize) -> String {
    let column = end.as_secs_f64().max(1e-9) / columns.max(1) as f64;
    let mut shares = vec![[0.0; 4]; columns];
    for event in timeline {
        let EventKind::Execution { speculative, incarnation, waited, .. } = event.kind else { continue };
        let kind = match (incarnation, speculative) {
            (1.., _) => 2,
            (0, true) => 0,
            (0, false) => 1,
        };
        let (start, time) = (event.start.as_secs_f64(), event.time.as_secs_f64());
        let waiting = waited.as_secs_f64() / time.max(1e-12);
        let first = ((start / column) as usize).min(columns - 1);
        let last = (((start + time) / column) as usize).min(columns - 1);
        for (index, share) in shares.iter_mut().enumerate().take(last + 1).skip(first) {
            let from = start.max(index as f64 * column);
            let to = (start + time).min((index + 1) as f64 * column);
            share[kind] += (to - from).max(0.0) * (1.0 - waiting);
            share[3] += (to - from).max(0.0) * waiting;
        }
    }
    let letter = |share: &[f64; 4]| {
        let idle = column - share.iter().sum::<f64>();
        let most = (0..4).max_by(|a, b| share[*a].total_cmp(&share[*b])).filter(|most| share[*most] > idle);
        most.map_or('.', |most| ['s', 'f', 'r', 'w'][most])
    };
    shares.iter().map(letter).collect()
}
