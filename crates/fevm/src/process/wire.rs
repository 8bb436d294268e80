//! The messages between a worker process and its parent, in postcard.

use std::borrow::Cow;

use cid::Cid;
use fvm::gas::price_list_by_network_version;
use fvm::machine::{MachineContext, NetworkConfig};
use fvm::state_tree::ActorState;
use fvm_ipld_encoding::strict_bytes;
use fvm_shared::ActorID;
use fvm_shared::econ::TokenAmount;
use fvm_shared::message::Message;
use fvm_shared::version::NetworkVersion;
use serde::{Deserialize, Serialize};

use crate::speculation::Outcome;

/// The crate's version, and this protocol's. A process that says hello with another number is not understood.
pub(crate) const VERSION: (&str, u32) = (env!("CARGO_PKG_VERSION"), 1);

/// From the parent to a process.
#[derive(Serialize, Deserialize)]
pub(crate) enum Order<'a> {
    /// A tipset begins: whatever is still to be tried of the last one is answered without an outcome.
    Begin {
        context: Cow<'a, Context>,
        /// The codes of actors whose states are merged slot by slot.
        contracts: Cow<'a, [Cid]>,
    },
    /// Blocks of states before the tipset.
    #[serde(borrow)]
    Old(Vec<Block<'a>>),
    /// Blocks that this tipset's execution wrote.
    #[serde(borrow)]
    New(Vec<Block<'a>>),
    /// The changes of the tipset that became final since the last message.
    Changes(Cow<'a, [(ActorID, Option<ActorState>)]>),
    /// A message to speculate on. Every one is answered, in order.
    Try {
        message: Cow<'a, Message>,
        raw_length: usize,
        /// Whether to tell changes slot by slot.
        merges: bool,
    },
    /// The tipset is over and left this state: of its blocks those under the root are worth keeping.
    End { root: Cid },
}

/// From a process to the parent.
#[allow(clippy::large_enum_variant, reason = "nearly all are of the largest kind")]
#[derive(Serialize, Deserialize)]
pub(crate) enum Answer<'a> {
    /// The first message: its version.
    Hello { version: (Cow<'a, str>, u32) },
    /// Ready for messages of the tipset that began last.
    Ready,
    /// To the oldest message that is not answered.
    Tried {
        /// `None` if it could not be tried.
        outcome: Option<Outcome>,
        /// The blocks that the message wrote.
        #[serde(borrow)]
        written: Vec<Block<'a>>,
        /// Blocks that were not there. With any, there is no outcome.
        lacking: Vec<Cid>,
    },
}

/// A block by its name.
#[derive(Serialize, Deserialize)]
pub(crate) struct Block<'a> {
    pub(crate) cid: Cid,
    #[serde(borrow, with = "strict_bytes")]
    pub(crate) data: Cow<'a, [u8]>,
}

/// A tipset's context.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Context {
    network: NetworkVersion,
    chain: u64,
    max_call_depth: u32,
    max_wasm_stack: u32,
    max_inst_memory_bytes: u64,
    max_memory_bytes: u64,
    max_block_size: usize,
    actors: Option<Cid>,
    redirects: Vec<(Cid, Cid)>,
    debugging: bool,
    epoch: i64,
    timestamp: u64,
    base_fee: TokenAmount,
    root: Cid,
    supply: TokenAmount,
}

impl Context {
    /// `None` if the price list is not the network version's: it cannot be sent.
    pub(crate) fn of(context: &MachineContext) -> Option<Self> {
        let network = &context.network;
        let usual = price_list_by_network_version(network.network_version);
        std::ptr::eq(network.price_list, usual).then(|| Self {
            network: network.network_version,
            chain: network.chain_id.into(),
            max_call_depth: network.max_call_depth,
            max_wasm_stack: network.max_wasm_stack,
            max_inst_memory_bytes: network.max_inst_memory_bytes,
            max_memory_bytes: network.max_memory_bytes,
            max_block_size: network.max_block_size,
            actors: network.builtin_actors_override,
            redirects: network.actor_redirect.clone(),
            debugging: network.actor_debugging,
            epoch: context.epoch,
            timestamp: context.timestamp,
            base_fee: context.base_fee.clone(),
            root: context.initial_state_root,
            supply: context.circ_supply.clone(),
        })
    }

    pub(crate) fn machine(self) -> MachineContext {
        let mut network = NetworkConfig::new(self.network);
        network.chain_id(self.chain.into());
        network.max_call_depth = self.max_call_depth;
        network.max_wasm_stack = self.max_wasm_stack;
        network.max_inst_memory_bytes = self.max_inst_memory_bytes;
        network.max_memory_bytes = self.max_memory_bytes;
        network.max_block_size = self.max_block_size;
        network.builtin_actors_override = self.actors;
        network.actor_redirect = self.redirects;
        network.actor_debugging = self.debugging;
        let mut context = network.for_epoch(self.epoch, self.timestamp, self.root);
        context.set_base_fee(self.base_fee);
        context.set_circulating_supply(self.supply);
        context
    }
}
