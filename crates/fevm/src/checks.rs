//! The checks of validation, and the reasons to refuse a speculative result.

/// The checks of validation. All of them are needed for exactness: `Checks::default()` has all. Tests turn single ones off to
/// show that results then differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checks {
    /// V1: creations, deletions, messages that could not start and faults are not taken from speculation.
    pub structural: bool,
    /// V2: every address means the same.
    pub resolutions: bool,
    /// V3: every actor looked at has the same existence, code and delegated address.
    pub identities: bool,
    /// V4: the sender's sequence is the message's, and its funds suffice in both worlds.
    pub sender: bool,
    /// V5: a balance that code read, or that value was taken from, is the same.
    pub balances: bool,
    /// V6: an actor that ran has the same state, or one that it cannot tell from it.
    pub states: bool,
    /// Within V6: opened nodes have the same shape.
    pub shapes: bool,
    /// Within V6: keys and values in opened nodes are equal, not only of equal length.
    pub siblings: bool,
    /// V7: the reward and burnt-funds actors were not used explicitly.
    pub reserved: bool,
}

impl Default for Checks {
    fn default() -> Self {
        Self {
            structural: true,
            resolutions: true,
            identities: true,
            sender: true,
            balances: true,
            states: true,
            shapes: true,
            siblings: true,
            reserved: true,
        }
    }
}

/// Why a speculative result did not hold at its turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Conflict {
    /// V1: it creates or deletes, could not start, or met a fault.
    Structural,
    /// V2: an address means something else now.
    Resolution,
    /// V3: an actor came into being, or changed its code.
    Identity,
    /// V4: the sender's sequence or funds.
    Sender,
    /// V5: a balance that it saw.
    Balance,
    /// V6: the state of an actor that is taken as a whole.
    State,
    /// V6: slots next to those on its path.
    Slots,
    /// The change cannot be told as a change of slots.
    Diff,
    /// V7: it used the reward or burnt-funds actor.
    Reserved,
}

impl Conflict {
    /// All of them, in order.
    pub const ALL: [Self; 9] = [
        Self::Structural,
        Self::Resolution,
        Self::Identity,
        Self::Sender,
        Self::Balance,
        Self::State,
        Self::Slots,
        Self::Diff,
        Self::Reserved,
    ];

    /// A short name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Structural => "structural",
            Self::Resolution => "resolution",
            Self::Identity => "identity",
            Self::Sender => "sender",
            Self::Balance => "balance",
            Self::State => "state",
            Self::Slots => "slots",
            Self::Diff => "diff",
            Self::Reserved => "reserved",
        }
    }
}

/// How steps became final.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Executed at their turn, never speculated on.
    pub at_turn: u64,
    /// Taken from speculation.
    pub kept: u64,
    /// Taken or refused, of those that worker processes speculated on.
    pub by_processes: u64,
    /// Contracts whose slots were merged into a state that had changed since.
    pub merged: u64,
    /// Executed again at their turn, by cause, in the order of [`Conflict::ALL`].
    pub conflicts: [u64; 9],
}

impl Stats {
    /// Executed again at their turn.
    pub fn reexecuted(&self) -> u64 {
        self.conflicts.iter().sum()
    }

    pub(crate) fn count(&mut self, conflict: Conflict) {
        self.conflicts[conflict as usize] += 1;
    }

    /// Adds another tipset's counts.
    pub fn add(&mut self, other: &Self) {
        self.at_turn += other.at_turn;
        self.kept += other.kept;
        self.by_processes += other.by_processes;
        self.merged += other.merged;
        for (mine, other) in self.conflicts.iter_mut().zip(other.conflicts) {
            *mine += other;
        }
    }
}
