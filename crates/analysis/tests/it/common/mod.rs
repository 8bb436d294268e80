//! Traces made by hand.
#![allow(dead_code, reason = "each test binary uses its part")]

use alloy_primitives::{Address, B256, Bytes, U256};
use std::time::Duration;
use tandem_analysis::{Trace, TracedBlock};
use tandem_evm::{Field, Location, Observation, Read, StepPart, TransactionTrace, Write};

pub(crate) const MILLISECOND: Duration = Duration::from_millis(1);

pub(crate) fn account(number: u8) -> Address {
    Address::repeat_byte(number)
}

pub(crate) fn slot(address: u8, slot: u64) -> Location {
    field(address, Field::Slot { slot: U256::from(slot), generation: 0 })
}

pub(crate) fn field(address: u8, field: Field) -> Location {
    Location { world: 0, address: account(address), field }
}

/// A transaction whose sender sends nothing else.
pub(crate) fn transaction(sender: u8) -> TransactionTrace {
    TransactionTrace {
        hash: B256::ZERO,
        sender: account(sender),
        recipient: Some(account(0)),
        input: Bytes::from_static(&[1]),
        tx_type: 2,
        success: true,
        gas_used: 50_000,
        logs: Vec::new(),
    }
}

/// A step under construction.
#[derive(Default)]
pub(crate) struct Made {
    reads: Vec<Read>,
    writes: Vec<Write>,
    sender: u8,
}

pub(crate) fn step() -> Made {
    Made::default()
}

impl Made {
    pub(crate) fn from(self, sender: u8) -> Self {
        Self { sender, ..self }
    }

    pub(crate) fn reads(mut self, location: Location) -> Self {
        self.reads.push(Read { location, relied: Observation::Exact(U256::ZERO) });
        self
    }

    pub(crate) fn bound(mut self, location: Location, least: u64) -> Self {
        self.reads.push(Read { location, relied: Observation::AtLeast(U256::from(least)) });
        self
    }

    pub(crate) fn writes(mut self, location: Location) -> Self {
        let (before, after) = (U256::ZERO, U256::ONE);
        self.writes.push(Write { location, before, after, is_delta: false });
        self
    }

    /// Reads, changes and writes back.
    pub(crate) fn changes(self, location: Location) -> Self {
        self.reads(location).writes(location)
    }

    /// Moves a balance by an amount.
    pub(crate) fn moves(mut self, location: Location, before: u64, after: u64) -> Self {
        let (before, after) = (U256::from(before), U256::from(after));
        self.writes.push(Write { location, before, after, is_delta: true });
        self
    }
}

/// A trace of blocks whose steps are transactions of a millisecond each. Consecutive blocks if `linked`.
pub(crate) fn trace(blocks: Vec<Vec<Made>>, linked: bool) -> Trace {
    let mut trace = Trace::default();
    for (number, steps) in (1..).zip(blocks) {
        trace.push_block(TracedBlock {
            name: format!("block {number}"),
            chain_id: 1,
            number,
            hash: B256::with_last_byte(number as u8),
            parent: if linked { B256::with_last_byte(number as u8 - 1) } else { B256::repeat_byte(0xff) },
            beneficiary: account(0xbb),
            steps: 0..0,
        });
        for (index, made) in steps.into_iter().enumerate() {
            let part = StepPart::Transaction(index);
            trace.push_step(
                part,
                &made.reads,
                &made.writes,
                Some(transaction(made.sender)),
                Default::default(),
            );
        }
    }
    trace.steps.iter_mut().for_each(|step| step.time = MILLISECOND);
    trace
}
