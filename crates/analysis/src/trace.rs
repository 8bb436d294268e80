use alloy_primitives::map::HashMap;
use alloy_primitives::{Address, B256, U256};
use std::ops::Range;
use std::time::Duration;
use tandem_evm::{Field, Location, Observation, Read, StepPart, StorageNotes, TransactionTrace, Write};

/// Index of a [`Location`] in a [`Trace`].
pub type LocationId = usize;

/// The trace of blocks that executed in order: each step's time, its reads and its changes.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    /// The blocks, in order.
    pub blocks: Vec<TracedBlock>,
    /// The steps of all blocks, in order.
    pub steps: Vec<Step>,
    locations: Vec<Location>,
    ids: HashMap<Location, LocationId>,
}

/// A block of a [`Trace`].
#[derive(Clone, Debug)]
pub struct TracedBlock {
    /// How reports name it.
    pub name: String,
    /// Its chain.
    pub chain_id: u64,
    /// Its number.
    pub number: u64,
    /// Its hash.
    pub hash: B256,
    /// Its parent's hash.
    pub parent: B256,
    /// The recipient of the fees.
    pub beneficiary: Address,
    /// Indices of its steps.
    pub steps: Range<usize>,
}

/// A step of a [`Trace`].
#[derive(Clone, Debug)]
pub struct Step {
    /// Index of its block.
    pub block: usize,
    /// Which part of the block it is.
    pub part: StepPart,
    /// How long it takes to execute on state that is at hand.
    pub time: Duration,
    /// Its reads.
    pub reads: Vec<StepRead>,
    /// Its changes.
    pub writes: Vec<StepWrite>,
    /// More about it, if it is a transaction.
    pub transaction: Option<TransactionTrace>,
    /// What it stored and hashed, if it is a transaction.
    pub notes: StorageNotes,
    /// Whether it takes the same path on the state before its block, so that redoing what depends on changed values would
    /// do. Known of transactions that depend on others of their block.
    pub keeps_path: bool,
}

/// A step's reliance on a location.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StepRead {
    /// Where.
    pub location: LocationId,
    /// The value, or a bound of a balance.
    pub relied: Observation<U256>,
}

/// How a step changed a location.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StepWrite {
    /// Where.
    pub location: LocationId,
    /// The value before.
    pub before: U256,
    /// Whether the step moves the balance by an amount, whatever it is.
    pub is_delta: bool,
}

impl Trace {
    /// A location by its index.
    pub fn location(&self, id: LocationId) -> Location {
        self.locations[id]
    }

    /// Number of different locations.
    pub fn location_count(&self) -> usize {
        self.locations.len()
    }

    /// The index of a location, if it was met.
    pub fn find(&self, location: Location) -> Option<LocationId> {
        self.ids.get(&location).copied()
    }

    /// The index of a location; new if it was not met before.
    pub fn intern(&mut self, location: Location) -> LocationId {
        *self.ids.entry(location).or_insert_with(|| {
            self.locations.push(location);
            self.locations.len() - 1
        })
    }

    /// Adds a block without steps. Its steps follow by [`Trace::push_step`].
    pub fn push_block(&mut self, block: TracedBlock) {
        let end = self.steps.len();
        self.blocks.push(TracedBlock { steps: end..end, ..block });
    }

    /// Adds a step to the last block. A block that continues the one before it shares the locations of that one's chain;
    /// all others stand for themselves.
    pub fn push_step(
        &mut self,
        part: StepPart,
        reads: &[Read],
        writes: &[Write],
        transaction: Option<TransactionTrace>,
        notes: StorageNotes,
    ) {
        let block = self.blocks.len() - 1;
        let world = self.chain_start(block) as u32;
        let place = |location: Location| Location { world, ..location };
        let reads = reads
            .iter()
            .map(|read| StepRead { location: self.intern(place(read.location)), relied: read.relied })
            .collect();
        let writes = writes
            .iter()
            .map(|write| StepWrite {
                location: self.intern(place(write.location)),
                before: write.before,
                is_delta: write.is_delta,
            })
            .collect();
        let time = Duration::ZERO;
        self.steps.push(Step { block, part, time, reads, writes, transaction, notes, keeps_path: false });
        self.blocks[block].steps.end = self.steps.len();
    }

    /// The first block of the chain of consecutive blocks that this block is in.
    fn chain_start(&self, mut block: usize) -> usize {
        while block > 0 && self.blocks[block - 1].hash == self.blocks[block].parent {
            block -= 1;
        }
        block
    }

    /// Time of all steps together.
    pub fn time(&self) -> Duration {
        self.steps.iter().map(|step| step.time).sum()
    }

    /// Number of transactions.
    pub fn transactions(&self) -> usize {
        self.steps.iter().filter(|step| step.transaction.is_some()).count()
    }

    /// How reports name a step.
    pub fn step_name(&self, step: usize) -> String {
        let Step { block, part, .. } = &self.steps[step];
        let block = &self.blocks[*block].name;
        match part {
            StepPart::Start => format!("{block} start"),
            StepPart::Transaction(index) => format!("{block} tx {index}"),
            StepPart::End => format!("{block} end"),
        }
    }
}

/// A location without its world and generation: the same for a contract's slot in all blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StateKey {
    /// The account.
    pub address: Address,
    /// Its field. Slots are of generation 0.
    pub field: Field,
}

impl From<Location> for StateKey {
    fn from(location: Location) -> Self {
        let field = match location.field {
            Field::Slot { slot, .. } => Field::Slot { slot, generation: 0 },
            other => other,
        };
        Self { address: location.address, field }
    }
}
