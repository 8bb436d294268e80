use super::proof::Proof;
use alloy_primitives::Address;
use alloy_primitives::map::AddressSet;
use tandem_evm::SignedBlock;
use tandem_state::MemoryStore;

/// Blocks to run and the states they run on.
#[derive(Debug, Default)]
pub(crate) struct Input {
    pub(crate) blocks: Vec<InputBlock>,
    /// Base states. Blocks of one world follow one another.
    pub(crate) worlds: Vec<MemoryStore>,
    /// Whether the only base state is known in full, not just what its blocks read.
    pub(crate) complete: bool,
}

/// One block to run.
#[derive(Debug)]
pub(crate) struct InputBlock {
    /// How messages name it.
    pub(crate) name: String,
    pub(crate) signed: SignedBlock,
    /// The senders as the source states them.
    pub(crate) expected_senders: Vec<Address>,
    /// Index of its base state.
    pub(crate) world: usize,
    /// The proof of the state before the block.
    pub(crate) proof: Option<Proof>,
    /// The part of it that is there.
    pub(crate) pre_state: PreState,
}

/// The data of a block and of the state before it.
#[derive(Debug)]
pub(crate) struct PreState {
    /// The accounts that are known, be it that they do not exist; `None` for all.
    pub(crate) listed: Option<AddressSet>,
    /// Whether the headers of the block's ommers are missing, and with them the rewards.
    pub(crate) lacks_ommers: bool,
}

impl PreState {
    pub(crate) fn complete() -> Self {
        Self { listed: None, lacks_ommers: false }
    }
}
