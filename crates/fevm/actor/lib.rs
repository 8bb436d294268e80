//! An actor in Rust with the state of an EVM contract: the tuple of six fields, and slots in a KAMT of bit width 5.
//!
//! It runs the programs of `../src/workload/program.rs`, as the actor in WebAssembly text does, and does what that one does not: slots
//! come and go anywhere, so that nodes split and collapse; state is kept in memory between calls, written before each and read
//! again after it, as the EVM actor does; and contracts are created the way they are on the chain, by the actors 10 (Ethereum
//! addresses) and 1 (init), which keeps addresses in its HAMT. All built-in actors run this code.
//!
//! `scripts/actor/build` compiles it, without cargo.
#![no_std]

extern crate alloc;

mod cbor;
mod contract;
mod create;
mod hamt;
mod heap;
mod kamt;
mod program;
mod sys;

use alloc::vec::Vec;

/// The method that makes a new actor's state.
pub(crate) const CONSTRUCT: u64 = 1;

/// Counts of a message, calls that it made included. Every result starts with these numbers.
#[derive(Clone, Copy, Default)]
pub(crate) struct Counts {
    /// Calls that succeeded.
    pub(crate) calls: u64,
    /// Calls during which the caller's own state changed.
    pub(crate) reentered: u64,
    /// Nodes made because a slot came.
    pub(crate) splits: u64,
    /// Nodes dissolved because a slot went.
    pub(crate) collapses: u64,
    /// Contracts created.
    pub(crate) created: u64,
}

impl Counts {
    /// Their length in a result.
    pub(crate) const SIZE: usize = 40;

    fn to_bytes(self) -> Vec<u8> {
        let numbers = [self.calls, self.reentered, self.splits, self.collapses, self.created];
        numbers.iter().flat_map(|number| number.to_le_bytes()).collect()
    }

    /// Adds those of a call that succeeded; gives the rest of its result.
    pub(crate) fn add(&mut self, result: &[u8]) -> Vec<u8> {
        if result.len() < Self::SIZE {
            return result.to_vec();
        }
        let (counts, rest) = result.split_at(Self::SIZE);
        let all =
            [&mut self.calls, &mut self.reentered, &mut self.splits, &mut self.collapses, &mut self.created];
        for (mine, theirs) in all.into_iter().zip(counts.chunks_exact(8)) {
            *mine += cbor::little(theirs);
        }
        rest.to_vec()
    }
}

/// The entry point: the parameters' block, and the result's.
#[no_mangle]
pub extern "C" fn invoke(params: u32) -> u32 {
    let params = match params {
        0 => Vec::new(),
        block => sys::read(block),
    };
    let context = sys::context();
    let mut counts = Counts::default();
    let output = match (context.receiver, context.method) {
        (create::INIT, create::EXEC) => create::exec(&mut counts, &context, &params),
        (create::EAM, create::BY_CONTRACT) => create::by_contract(&mut counts, &context, &params),
        (create::EAM, create::BY_ACCOUNT) => create::by_account(&mut counts, &context, &params),
        // A new account; the parameters are its address.
        (_, CONSTRUCT) if context.caller == 0 => {
            let state = sys::save(sys::DAG_CBOR, &params);
            sys::set_root(&state);
            Vec::new()
        }
        (_, CONSTRUCT) => {
            contract::construct();
            program::run(&mut counts, &context, &params)
        }
        _ => program::run(&mut counts, &context, &params),
    };
    let mut result = counts.to_bytes();
    result.extend(output);
    sys::block(sys::CBOR, &result)
}
