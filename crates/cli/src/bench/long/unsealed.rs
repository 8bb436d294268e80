use crate::shared::builder::{Unsealed, attributes};
use crate::shared::failure::Failure;
use alloy_consensus::Header;
use alloy_consensus::transaction::Recovered;
use alloy_primitives::Sealed;
use tandem_chain::{next_base_fee, next_header};
use tandem_evm::Block;
use tandem_state::MemoryStore;

/// A chain whose blocks are not signed, hashed or kept.
pub(super) struct UnsealedChain(Unsealed);

impl UnsealedChain {
    pub(super) fn new(unsealed: Unsealed) -> Self {
        Self(unsealed)
    }

    /// The state after the last block that was executed.
    pub(super) fn state(&self) -> &MemoryStore {
        &self.0.state
    }

    pub(super) fn state_mut(&mut self) -> &mut MemoryStore {
        &mut self.0.state
    }

    /// The next block. Its header states what can be known before it is executed, and that it is half full, so that the
    /// base fee stays as it is.
    pub(super) fn propose(&mut self) -> Result<Block, Failure> {
        let Unsealed { chain, proposer, parent, .. } = &mut self.0;
        let base_fee = next_base_fee(chain, parent).unwrap_or_default();
        let proposal = proposer.propose_unsigned(base_fee).map_err(Failure::fault)?;
        let header = next_header(chain, parent, None, &attributes(&proposal));
        let header = Header { gas_used: header.gas_limit / 2, ..header };
        let recovered = proposal
            .transactions
            .into_iter()
            .zip(proposal.senders)
            .map(|(transaction, sender)| Recovered::new_unchecked(transaction, sender));
        let block = Block::new(chain, header.clone(), recovered, Vec::new(), proposal.withdrawals);
        let hash = header.hash_slow();
        *parent = Sealed::new_unchecked(header, hash);
        Ok(block)
    }
}
