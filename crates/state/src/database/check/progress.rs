/// How far a check is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The part that is being checked.
    pub phase: Phase,
    /// Rows or blocks seen in this phase.
    pub done: u64,
    /// Rows or blocks to see in this phase.
    pub total: u64,
}

/// The part that is being checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Codes, by row.
    Codes,
    /// Accounts and slots, by row.
    Leaves,
    /// Inner nodes, by row.
    Nodes,
    /// Blocks.
    Blocks,
}

/// Rows between two reports.
const INTERVAL: u64 = 4096;

/// Counts the rows of a phase and reports now and then.
pub(super) struct Meter<'p> {
    state: Progress,
    report: &'p mut dyn FnMut(Progress),
}

impl<'p> Meter<'p> {
    pub(super) fn new(phase: Phase, total: u64, report: &'p mut dyn FnMut(Progress)) -> Self {
        Self { state: Progress { phase, done: 0, total }, report }
    }

    pub(super) fn step(&mut self) {
        self.state.done += 1;
        if self.state.done.is_multiple_of(INTERVAL) {
            (self.report)(self.state);
        }
    }

    /// The number of steps, reported.
    pub(super) fn finish(self) -> u64 {
        (self.report)(self.state);
        self.state.done
    }
}
