//! The shape of blocks: the features that decide how far they run in parallel, by gas instead of time, so that it is the same everywhere.

use crate::graph::Graph;
use crate::model::{Model, is_plain_transfer};
use crate::record::{Input, TraceError, record};
use crate::trace::{Step, Trace};
use alloy_primitives::map::{HashMap, HashSet};
use alloy_primitives::{Address, KECCAK256_EMPTY, U256};
use tandem_evm::{Field, Observation};
use tandem_state::Store;

/// Something to measure in a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Feature {
    /// Number of transactions.
    Transactions,
    /// Gas used by a transaction on average.
    Gas,
    /// Share of the transactions that only send ether to an account without code.
    PlainTransfers,
    /// Share of the transactions that need an earlier one of their block, by the engine's model ([`Model::Delta`]).
    Dependent,
    /// The same where whole accounts conflict ([`Model::Account`]).
    AccountDependent,
    /// How many transactions back the last one lies that a dependent transaction needs, on average. Unknown where none
    /// depends.
    Distance,
    /// Share of the gas that the chain of transactions, each needing the one before, has that uses most gas.
    CriticalPath,
    /// Share of the transactions that are sent to the contract to which most are.
    BusiestRecipient,
    /// Share of the transactions that are sent to one of the three contracts to which most are.
    BusiestThree,
    /// Share of the transactions in which the contract takes part that takes part in most, however it is called.
    HotContract,
    /// Slots that a transaction reads, on average.
    SlotsRead,
    /// Slots that a transaction changes, on average.
    SlotsChanged,
}

impl Feature {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::Transactions,
        Self::Gas,
        Self::PlainTransfers,
        Self::Dependent,
        Self::AccountDependent,
        Self::Distance,
        Self::CriticalPath,
        Self::BusiestRecipient,
        Self::BusiestThree,
        Self::HotContract,
        Self::SlotsRead,
        Self::SlotsChanged,
    ];

    /// Its name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Transactions => "transactions",
            Self::Gas => "gas per transaction",
            Self::PlainTransfers => "plain transfers",
            Self::Dependent => "dependent transactions",
            Self::AccountDependent => "the same by whole accounts",
            Self::Distance => "distance of dependence",
            Self::CriticalPath => "critical path, of all gas",
            Self::BusiestRecipient => "sent to the busiest contract",
            Self::BusiestThree => "sent to the busiest three",
            Self::HotContract => "meet in the hottest contract",
            Self::SlotsRead => "slots read per transaction",
            Self::SlotsChanged => "slots changed per transaction",
        }
    }

    /// Whether it is a share, from 0 to 1.
    pub const fn is_share(self) -> bool {
        !matches!(
            self,
            Self::Transactions | Self::Gas | Self::Distance | Self::SlotsRead | Self::SlotsChanged
        )
    }
}

/// A block's shape.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shape([Option<f64>; Feature::ALL.len()]);

impl Shape {
    /// Measures a block by executing it.
    ///
    /// # Errors
    ///
    /// If the block is invalid or its state fails.
    pub fn measure<S>(input: &Input<'_, S>) -> Result<Self, TraceError>
    where
        S: Store + Sync,
        S::Error: std::error::Error + Send + Sync + 'static,
    {
        let trace = record(std::slice::from_ref(input), 0, &|| {})?;
        Ok(Self::of(&trace, 0))
    }

    /// The shape of a trace's block, given by its index.
    pub fn of(trace: &Trace, block: usize) -> Self {
        let range = trace.blocks[block].steps.clone();
        let graph = Graph::new(trace, Model::Delta);
        let whole = Graph::new(trace, Model::Account);
        let steps: Vec<_> = range.filter(|step| trace.steps[*step].transaction.is_some()).collect();
        let count = steps.len() as f64;
        let per_transaction = |sum: f64| (count > 0.0).then(|| sum / count);
        let total = |of: &dyn Fn(&Step) -> usize| -> f64 {
            steps.iter().map(|step| of(&trace.steps[*step]) as f64).sum()
        };
        let gas = total(&|step| gas(step) as usize);
        let distances = distances(&graph, &steps);
        let busiest = busiest(trace, &steps);
        let sent = |contracts: usize| busiest.iter().take(contracts).sum::<usize>() as f64;
        let value = |feature| match feature {
            Feature::Transactions => Some(count),
            Feature::Gas => per_transaction(gas),
            Feature::PlainTransfers => per_transaction(total(&|step| usize::from(is_plain_transfer(step)))),
            Feature::Dependent => per_transaction(distances.len() as f64),
            Feature::AccountDependent => per_transaction(self::distances(&whole, &steps).len() as f64),
            Feature::Distance => (!distances.is_empty())
                .then(|| distances.iter().sum::<usize>() as f64 / distances.len() as f64),
            Feature::CriticalPath => (gas > 0.0).then(|| longest_chain(trace, &graph, &steps) as f64 / gas),
            Feature::BusiestRecipient => per_transaction(sent(1)),
            Feature::BusiestThree => per_transaction(sent(3)),
            Feature::HotContract => per_transaction(hottest_contract(trace, &steps) as f64),
            Feature::SlotsRead => per_transaction(total(&|step| {
                step.reads.iter().filter(|read| is_slot(trace, read.location)).count()
            })),
            Feature::SlotsChanged => per_transaction(total(&|step| {
                step.writes.iter().filter(|write| is_slot(trace, write.location)).count()
            })),
        };
        Self(Feature::ALL.map(value))
    }

    /// The value of a feature, if the block has one.
    pub fn get(&self, feature: Feature) -> Option<f64> {
        self.0[feature as usize]
    }
}

/// A feature over several blocks.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Spread {
    /// A quarter of the blocks is below.
    pub low: f64,
    /// Half of the blocks are below.
    pub median: f64,
    /// A quarter of the blocks is above.
    pub high: f64,
}

impl Spread {
    /// The spread of a feature over those blocks that have it; `None` if none has.
    pub fn of(shapes: &[Shape], feature: Feature) -> Option<Self> {
        let mut values: Vec<f64> = shapes.iter().filter_map(|shape| shape.get(feature)).collect();
        values.sort_by(f64::total_cmp);
        let last = values.len().checked_sub(1)?;
        // Between two values, the straight line.
        let at = |share: f64| {
            let place = share * last as f64;
            let (below, above) = (values[place.floor() as usize], values[place.ceil() as usize]);
            below + (above - below) * place.fract()
        };
        Some(Self { low: at(0.25), median: at(0.5), high: at(0.75) })
    }
}

fn gas(step: &Step) -> u64 {
    step.transaction.as_ref().map_or(0, |transaction| transaction.gas_used)
}

fn is_slot(trace: &Trace, location: usize) -> bool {
    matches!(trace.location(location).field, Field::Slot { .. })
}

/// For each dependent transaction, how many transactions back the last one lies that it needs.
fn distances(graph: &Graph, steps: &[usize]) -> Vec<usize> {
    let Some(&first) = steps.first() else { return Vec::new() };
    let last = |step: &usize| graph.edges[*step].iter().map(|edge| edge.on).filter(|on| *on >= first).max();
    steps.iter().filter_map(|step| last(step).map(|on| step - on)).collect()
}

/// The gas of the chain of transactions that uses most.
fn longest_chain(trace: &Trace, graph: &Graph, steps: &[usize]) -> u64 {
    let mut ends = HashMap::<usize, u64>::default();
    for step in steps {
        let before = graph.edges[*step].iter().filter_map(|edge| ends.get(&edge.on)).max().copied();
        ends.insert(*step, before.unwrap_or_default() + gas(&trace.steps[*step]));
    }
    ends.into_values().max().unwrap_or_default()
}

/// The contracts in which a transaction takes part.
fn contracts<'a>(trace: &'a Trace, step: &'a Step) -> impl Iterator<Item = Address> + 'a {
    let has_code = |relied: Observation<U256>| matches!(relied, Observation::Exact(hash) if !hash.is_zero() && hash != U256::from_be_bytes(KECCAK256_EMPTY.0));
    step.reads.iter().filter_map(move |read| {
        let place = trace.location(read.location);
        (place.field == Field::Code && has_code(read.relied)).then_some(place.address)
    })
}

/// How many transactions are sent to each contract, most first.
fn busiest(trace: &Trace, steps: &[usize]) -> Vec<usize> {
    let mut sent = HashMap::<Address, usize>::default();
    for step in steps.iter().map(|step| &trace.steps[*step]) {
        let Some(to) = step.transaction.as_ref().and_then(|transaction| transaction.recipient) else {
            continue;
        };
        if contracts(trace, step).any(|contract| contract == to) {
            *sent.entry(to).or_default() += 1;
        }
    }
    let mut sent: Vec<_> = sent.into_values().collect();
    sent.sort_unstable_by(|a, b| b.cmp(a));
    sent
}

/// In how many transactions the contract takes part that takes part in most.
fn hottest_contract(trace: &Trace, steps: &[usize]) -> usize {
    let mut parts = HashMap::<Address, usize>::default();
    for step in steps.iter().map(|step| &trace.steps[*step]) {
        for contract in contracts(trace, step).collect::<HashSet<_>>() {
            *parts.entry(contract).or_default() += 1;
        }
    }
    parts.into_values().max().unwrap_or_default()
}
