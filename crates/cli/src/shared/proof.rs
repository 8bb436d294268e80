use super::failure::Failure;
use alloy_consensus::constants::EMPTY_ROOT_HASH;
use alloy_primitives::{Address, B256, keccak256};
use std::convert::Infallible;
use std::sync::Arc;
use tandem_evm::ChainSpec;
use tandem_state::fixture::{Fixture, PreStateFault};
use tandem_state::trie::{
    HashedChanges, NoSource, NodeSource, StateTrie, TrieError, UnprovenWitness, Witness,
};
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

    /// Whether the witness proves that an account exists.
    pub(crate) fn shows(&self, address: Address) -> bool {
        matches!(self.witness.account(keccak256(address)), Ok(Some(_)))
    }

    /// The rules of the block's chain with the accounts that the witness shows to be in the way of creations.
    pub(crate) fn tell_occupied(
        &self,
        chain: Arc<ChainSpec>,
    ) -> Result<Arc<ChainSpec>, TrieError<Infallible>> {
        let occupied = self.witness.occupied()?;
        let more = || Arc::new(ChainSpec::clone(&chain).with_occupied_hashes(occupied.iter().copied()));
        Ok(if occupied.is_empty() { chain } else { more() })
    }

    /// The roots after a block that made these changes, in these parts: one for each transaction if receipts hold
    /// roots, and one for the block's end.
    pub(crate) fn roots(&self, parts: &[StateChanges]) -> Result<Roots, TrieError<Infallible>> {
        self.roots_by(parts, &*self.witness)
    }

    /// The same roots where the witness does not prove them.
    pub(crate) fn unproven_roots(&self, parts: &[StateChanges]) -> Result<Roots, TrieError<Infallible>> {
        self.roots_by(parts, &UnprovenWitness(&self.witness))
    }

    fn roots_by<N>(&self, parts: &[StateChanges], source: &N) -> Result<Roots, TrieError<Infallible>>
    where
        N: NodeSource<Error = Infallible>,
    {
        let mut tries = StateTrie::new(self.witness.parent_state_root());
        let mut transactions = Vec::new();
        let mut block = self.witness.parent_state_root();
        for part in parts {
            tries.update(&HashedChanges::new(part), source)?;
            (block, _) = tries.finish_block(source)?;
            transactions.push(block);
        }
        Ok(Roots { transactions, block })
    }
}
