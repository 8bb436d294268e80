//! Observations of a message, as the kernel saw them.

use std::collections::{BTreeSet, HashSet};

use cid::Cid;
use foldhash::fast::RandomState;
use fvm_shared::ActorID;
use fvm_shared::address::{Address, Payload};
use serde::{Deserialize, Serialize};

/// Names of blocks.
pub(crate) type Cids = HashSet<Cid, RandomState>;

/// The actor that creates delegated addresses for Ethereum; a send to such an address creates an actor.
pub(crate) const EAM: ActorID = 10;

/// Observations of one message. Sets are supersets: a needless observation costs a conflict at worst.
#[derive(Default, Serialize, Deserialize)]
pub(crate) struct Record {
    /// Nothing is recorded while this is off, as on one thread.
    #[serde(skip)]
    pub(crate) on: bool,
    /// Whether reads are recorded, and not only possible changes. Off at the frontier.
    #[serde(skip)]
    pub(crate) reads: bool,
    /// Actors or addresses came into being or ceased to exist.
    pub(crate) structural: bool,
    /// Blocks that code read.
    pub(crate) opened: Cids,
    /// Blocks that code wrote. Between processes the blocks themselves are sent.
    #[serde(skip)]
    pub(crate) written: Cids,
    /// Actors whose code ran.
    pub(crate) entered: BTreeSet<ActorID>,
    /// Actors that wrote their state while an earlier call of theirs was still running.
    pub(crate) reentered: BTreeSet<ActorID>,
    /// Actors whose existence, code or delegated address mattered. Contains every actor that the message may have changed.
    pub(crate) touched: BTreeSet<ActorID>,
    /// Actors whose balance code read, or which sent value.
    pub(crate) balances: BTreeSet<ActorID>,
    /// Addresses that meant nothing.
    pub(crate) unresolved: Vec<Address>,
    /// Addresses at which a send created an actor.
    pub(crate) created: Vec<Address>,
    /// The actors running now, outermost first.
    #[serde(skip)]
    stack: Vec<ActorID>,
}

impl Record {
    /// Of a message that has not done anything yet.
    pub(crate) fn new(on: bool, reads: bool) -> Self {
        Self { on, reads, ..Self::default() }
    }

    /// Forgets the last message.
    pub(crate) fn clear(&mut self) {
        *self = Self::new(self.on, self.reads);
    }

    pub(crate) fn enter(&mut self, caller: ActorID, actor: ActorID, value: bool) {
        // The outermost caller is the message's sender, whose funds are bounded, not compared.
        if value && !self.stack.is_empty() {
            self.balances.insert(caller);
        }
        self.stack.push(actor);
        self.entered.insert(actor);
        self.touched.insert(actor);
    }

    pub(crate) fn leave(&mut self) {
        self.stack.pop();
    }

    pub(crate) fn set_root(&mut self, actor: ActorID) {
        if self.stack.iter().filter(|running| **running == actor).count() > 1 {
            self.reentered.insert(actor);
        }
    }

    /// A send's recipient, and the actor that it meant before the send.
    pub(crate) fn recipient(&mut self, address: &Address, found: Option<ActorID>) {
        match found {
            Some(id) => {
                self.touched.insert(id);
            }
            None if creates(address) => {
                self.structural = true;
                self.created.push(*address);
            }
            None => self.unresolved.push(*address),
        }
    }
}

/// Whether a send to this address creates an actor if there is none.
fn creates(address: &Address) -> bool {
    match address.payload() {
        Payload::BLS(_) | Payload::Secp256k1(_) => true,
        Payload::Delegated(delegated) => delegated.namespace() == EAM,
        _ => false,
    }
}
