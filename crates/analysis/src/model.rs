use crate::trace::{Step, StepRead, StepWrite, Trace};
use alloy_primitives::U256;
use tandem_evm::{Field, Observation};

/// A definition of conflict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Model {
    /// Accounts as a whole, storage included. Fees to the beneficiary are added up at the end.
    Account,
    /// Fields and slots. Fees are read, added to and written back.
    EagerBeneficiary,
    /// Fields and slots. Fees to the beneficiary are added up at the end.
    Field,
    /// The same, and plain transfers of ether add to balances without reading them.
    LazyTransfers,
    /// The engine's model: all balances are moved by amounts, checks of funds are bounds, the sender's nonce is
    /// predicted.
    Delta,
    /// The same, and a transaction that keeps its path redoes only what depends on changed values.
    DeltaRepair,
}

/// The cost of redoing the operations that depend on a changed value, as a share of the transaction's time.
pub const REPAIR_SHARE: f64 = 0.15;

impl Model {
    /// All of them, coarsest first.
    pub const ALL: [Self; 6] = [
        Self::Account,
        Self::EagerBeneficiary,
        Self::Field,
        Self::LazyTransfers,
        Self::Delta,
        Self::DeltaRepair,
    ];

    /// Its name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Account => "whole account",
            Self::EagerBeneficiary => "field and slot, eager beneficiary",
            Self::Field => "field and slot, lazy beneficiary",
            Self::LazyTransfers => "the same, lazy plain transfers",
            Self::Delta => "delta balances, predicted nonces",
            Self::DeltaRepair => "the same, with repair",
        }
    }

    /// Whether balances are moved by amounts wherever the engine does so.
    pub(crate) fn has_deltas(self) -> bool {
        matches!(self, Self::Delta | Self::DeltaRepair)
    }
}

/// A step's need at a location, and its change there, as a model sees them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Needs the value.
    Read,
    /// Needs the balance to be at least this.
    Bound(U256),
    /// Leaves another value than the one given.
    Write(U256),
    /// Moves the balance, which was the one given, by an amount.
    Move(U256),
}

/// A step's needs and changes by a model, location by location, reads first.
pub(crate) fn accesses(trace: &Trace, step: &Step, model: Model) -> Vec<(usize, Access)> {
    let mut accesses = Vec::with_capacity(step.reads.len() + step.writes.len());
    let sender = step.transaction.as_ref().map(|transaction| transaction.sender);
    let lazy = model.has_deltas() || (model == Model::LazyTransfers && is_plain_transfer(step));
    for StepRead { location, relied } in &step.reads {
        let place = trace.location(*location);
        let predicted = lazy && place.field == Field::Nonce && Some(place.address) == sender;
        match relied {
            _ if predicted => {}
            Observation::AtLeast(_) if lazy && !model.has_deltas() => {}
            Observation::AtLeast(bound) if model.has_deltas() => {
                accesses.push((*location, Access::Bound(*bound)));
            }
            _ => accesses.push((*location, Access::Read)),
        }
    }
    let loaded = |location| {
        let address = trace.location(location).address;
        step.reads.iter().any(|read| trace.location(read.location).address == address)
    };
    let mut changes = Vec::new();
    for StepWrite { location, before, is_delta } in &step.writes {
        let moved = *is_delta && (lazy || (model != Model::EagerBeneficiary && !loaded(*location)));
        if moved {
            changes.push((*location, Access::Move(*before)));
        } else {
            if *is_delta {
                accesses.push((*location, Access::Read));
            }
            changes.push((*location, Access::Write(*before)));
        }
    }
    accesses.append(&mut changes);
    accesses
}

/// Whether a step only sends ether to an account without code.
pub(crate) fn is_plain_transfer(step: &Step) -> bool {
    const TRANSFER_GAS: u64 = 21_000;
    step.transaction.as_ref().is_some_and(|tx| {
        tx.input.is_empty() && tx.recipient.is_some() && tx.success && tx.gas_used == TRANSFER_GAS
    })
}
