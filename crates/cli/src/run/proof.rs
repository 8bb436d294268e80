use crate::failure::Failure;
use alloy_consensus::constants::EMPTY_ROOT_HASH;
use alloy_primitives::B256;
use std::convert::Infallible;
use std::fmt::Display;
use std::sync::Arc;
use tandem_state::fixture::{Fixture, PreStateFault};
use tandem_state::trie::{HashedChanges, NoSource, StateTrie, TrieError, Witness};
use tandem_state::{MemoryStore, StateChanges};

/// The state before a block as its witness proves it.
#[derive(Debug)]
pub(crate) struct Proof {
    witness: Arc<Witness>,
    /// Entries of the pre-state that it does not prove.
    pub(crate) faults: Vec<PreStateFault>,
}

/// The roots after each of the blocks that follow one another from a state which is known in full.
pub(crate) fn chain_roots<'c>(
    state: &MemoryStore,
    blocks: impl IntoIterator<Item = &'c StateChanges>,
) -> Result<Vec<B256>, String> {
    let mut tries = StateTrie::new(EMPTY_ROOT_HASH);
    let mut advance = |changes: &HashedChanges| -> Result<B256, TrieError<Infallible>> {
        tries.update(changes, &NoSource)?;
        Ok(tries.finish_block(&NoSource)?.0)
    };
    let roots = advance(&HashedChanges::from(state))
        .and_then(|_| blocks.into_iter().map(|changes| advance(&HashedChanges::new(changes))).collect());
    roots.map_err(|error| error.to_string())
}

/// The roots of the state that follow from a proof.
pub(crate) struct Roots {
    /// After each transaction, where receipts hold them.
    pub(crate) transactions: Vec<B256>,
    /// After the block.
    pub(crate) block: B256,
}

impl Proof {
    /// Reads a block's witness, if it has one, and compares the pre-state with it.
    pub(crate) fn load(fixture: &Fixture) -> Result<Option<Self>, Failure> {
        let Some(witness) = fixture.load_witness().map_err(Failure::input)? else { return Ok(None) };
        let faults = fixture.verify_pre_state(&witness).map_err(Failure::input)?;
        Ok(Some(Self { witness: Arc::new(witness), faults }))
    }

    pub(crate) fn witness(&self) -> &Arc<Witness> {
        &self.witness
    }

    /// The roots after a block that made these changes, in these parts: one for each transaction if receipts hold
    /// roots, and one for the block's end.
    pub(crate) fn roots(&self, parts: &[StateChanges]) -> Result<Roots, String> {
        let text = |error: &dyn Display| error.to_string();
        let mut tries = StateTrie::new(self.witness.parent_state_root());
        let mut transactions = Vec::new();
        let mut block = self.witness.parent_state_root();
        for part in parts {
            tries.update(&HashedChanges::new(part), &*self.witness).map_err(|error| text(&error))?;
            (block, _) = tries.finish_block(&*self.witness).map_err(|error| text(&error))?;
            transactions.push(block);
        }
        Ok(Roots { transactions, block })
    }
}
