use std::time::{Duration, Instant};

/// Counters of one stream, summed over all workers. [`crate::StreamHandle::metrics`] gives them while it runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Metrics {
    /// Steps that became final, with effects or without.
    pub steps: u64,
    /// Those of them that the sink skipped (see [`crate::Sink::admit`]).
    pub skipped: u64,
    /// Those of them that failed at their turn (see [`crate::Vm::reject`]).
    pub rejected: u64,
    /// Executions, successful or not, of any incarnation.
    pub executions: u64,
    /// Executions at the frontier, on final state.
    pub frontier_executions: u64,
    /// Executions of a step that had been executed before.
    pub reexecutions: u64,
    /// Re-executions by speculation, before the step's turn.
    pub early_reexecutions: u64,
    /// Speculative executions that ended in an error and were set aside.
    pub blocked: u64,
    /// Results found invalid at their turn or by an early check.
    pub conflicts: u64,
    /// Violated observations in those results, by kind of location (see [`crate::Domain::KINDS`]).
    pub conflicts_by_kind: Vec<u64>,
    /// Results committed although a value had moved, because only a bound was relied on.
    pub moved: u64,
    /// Invalid results made valid by [`crate::Vm::repair`].
    pub repairs: u64,
    /// Steps that were queued behind an earlier step of their conflict class (see [`crate::Vm::conflict_class`]).
    pub followed: u64,
    /// Executions that joined the run of the step before (see [`crate::Vm::continues`]).
    pub joined: u64,
    /// Those of them that were ahead of the step's turn.
    pub joined_ahead: u64,
    /// Runs that became final with their speculative results, by length: one step, up to 3, up to 7 and so on, up to 63, and 64 or more.
    pub runs_ahead: [u64; 7],
    /// Runs that were executed at their turn, by length.
    pub runs_at_frontier: [u64; 7],
    /// Reads that waited for a writer being executed again.
    pub waits: u64,
    /// Steps and claims that another worker took first: failed compare-exchanges.
    pub lost_claims: u64,
    /// Attempts to serve the frontier or to pull input while another worker did.
    pub lost_locks: u64,
    /// Times that sleeping workers were woken, all at once.
    pub wake_ups: u64,
    /// Times that the stream gave its values to the VM and forgot them (see [`crate::Vm::retire`]).
    pub retirements: u64,
    /// Time in executing steps, of all workers; zero unless [`crate::Config::timing`] is on.
    pub execute_time: Duration,
    /// Time in validating results at the frontier; zero unless timing is on.
    pub validate_time: Duration,
    /// Time in committing at the frontier, the sink included; zero unless timing is on.
    pub commit_time: Duration,
    /// The part of it that the sink takes; zero unless timing is on.
    pub sink_time: Duration,
    /// Time in pulling input and entering steps, of a stream on several threads; zero unless timing is on.
    pub feed_time: Duration,
    /// Time workers slept for want of work, or in reads that waited.
    pub idle_time: Duration,
    /// The events of each worker, in order; empty unless [`crate::Config::timelines`] is on.
    pub timelines: Vec<Vec<Event>>,
}

/// One activity of a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Event {
    /// The position of the step.
    pub position: u64,
    /// The kind of the activity.
    pub kind: EventKind,
    /// When it began, from the stream's start.
    pub start: Duration,
    /// How long it took.
    pub time: Duration,
}

/// The kind of an [`Event`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum EventKind {
    /// An execution.
    Execution {
        /// Whether earlier steps were still in flight.
        speculative: bool,
        /// The step's executions before this one.
        incarnation: u32,
        /// Whether it ended in an error, which in speculation says only that the step cannot be judged yet.
        failed: bool,
        /// Time it waited for steps that were being executed again.
        waited: Duration,
    },
    /// A result was found invalid at its turn.
    Conflict,
    /// A result was found invalid before its turn.
    EarlyConflict,
    /// An invalid result was made valid by [`crate::Vm::repair`].
    Repair,
}

impl Metrics {
    /// Counters at zero, for so many kinds of location.
    pub(crate) fn new(kinds: usize) -> Self {
        Self { conflicts_by_kind: vec![0; kinds], ..Self::default() }
    }

    /// Counts a run that was executed at its turn.
    pub(crate) fn count_run_at_frontier(&mut self, len: u64) {
        let longest = self.runs_at_frontier.len() - 1;
        self.runs_at_frontier[longest.min(len.ilog2() as usize)] += 1;
    }

    /// Copies the counters of `other`, not its timelines. Allocates nothing.
    pub(crate) fn copy_from(&mut self, other: &Self) {
        let mut conflicts_by_kind = std::mem::take(&mut self.conflicts_by_kind);
        conflicts_by_kind.clone_from(&other.conflicts_by_kind);
        *self = Self { conflicts_by_kind, timelines: Vec::new(), ..*other };
    }

    /// Adds another stream's counters.
    pub fn merge(&mut self, other: &Self) {
        self.steps += other.steps;
        self.skipped += other.skipped;
        self.rejected += other.rejected;
        self.executions += other.executions;
        self.frontier_executions += other.frontier_executions;
        self.reexecutions += other.reexecutions;
        self.early_reexecutions += other.early_reexecutions;
        self.blocked += other.blocked;
        self.conflicts += other.conflicts;
        if self.conflicts_by_kind.len() < other.conflicts_by_kind.len() {
            self.conflicts_by_kind.resize(other.conflicts_by_kind.len(), 0);
        }
        for (sum, count) in self.conflicts_by_kind.iter_mut().zip(&other.conflicts_by_kind) {
            *sum += count;
        }
        self.moved += other.moved;
        self.repairs += other.repairs;
        self.followed += other.followed;
        self.joined += other.joined;
        self.joined_ahead += other.joined_ahead;
        let runs = self.runs_ahead.iter_mut().chain(&mut self.runs_at_frontier);
        runs.zip(other.runs_ahead.iter().chain(&other.runs_at_frontier))
            .for_each(|(sum, count)| *sum += count);
        self.waits += other.waits;
        self.lost_claims += other.lost_claims;
        self.lost_locks += other.lost_locks;
        self.wake_ups += other.wake_ups;
        self.retirements += other.retirements;
        self.execute_time += other.execute_time;
        self.validate_time += other.validate_time;
        self.commit_time += other.commit_time;
        self.sink_time += other.sink_time;
        self.feed_time += other.feed_time;
        self.idle_time += other.idle_time;
        self.timelines.extend_from_slice(&other.timelines);
    }
}

/// The time since `start`; zero if it was not measured.
pub(crate) fn since(start: Option<Instant>) -> Duration {
    start.map_or(Duration::ZERO, |start| start.elapsed())
}
