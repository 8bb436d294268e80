use alloy_consensus::{Block, BlockBody, TxEnvelope};
use alloy_primitives::Sealed;
use alloy_rlp::Encodable;
use std::io::{self, Write};
use std::sync::Arc;
use tandem_evm::{ChainSpec, SignedBlock};

/// A block together with its hash.
pub type SealedBlock = Sealed<Block<TxEnvelope>>;

/// Writes a block's RLP, as [`ChainFile`](crate::ChainFile) reads it.
///
/// # Errors
///
/// Those of the writer.
pub fn write_block(writer: &mut impl Write, block: &Block<TxEnvelope>) -> io::Result<()> {
    let mut bytes = Vec::with_capacity(block.length());
    block.encode(&mut bytes);
    writer.write_all(&bytes)
}

/// Makes a block ready for the recovery of its senders.
///
/// `chain` is best taken from [`HeaderChain::chain`](crate::HeaderChain::chain) after the block was pushed: execution
/// needs to know where the merge was.
pub fn signed_block(chain: &Arc<ChainSpec>, block: Block<TxEnvelope>) -> SignedBlock {
    let Block { header, body: BlockBody { transactions, ommers, withdrawals } } = block;
    let withdrawals = withdrawals.unwrap_or_default();
    SignedBlock { chain: Arc::clone(chain), header, transactions, ommers, withdrawals }
}
