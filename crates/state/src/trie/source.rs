use alloy_primitives::{B256, Bytes};
use alloy_trie::Nibbles;

/// Where a sparse trie finds the nodes that it does not hold.
pub trait NodeSource: Sync {
    /// An error while reading.
    type Error: std::error::Error + Send + Sync + 'static;

    /// Whether a node that is absent when a branch collapses onto it is taken to be a branch, without proof. See
    /// [`UnprovenWitness`](super::UnprovenWitness), the one source that has it so.
    const UNPROVEN_SIBLINGS: bool = false;

    /// Whether each node that is returned is known to have the hash that was asked for. If not, the trie checks it, so
    /// that a corrupt source is a fault and never makes a good block look bad.
    const VERIFIED: bool = false;

    /// The RLP of the node at `path` whose Keccak-256 is `hash`, or `None` if the source does not have it.
    ///
    /// `owner` is the hashed address of the account whose storage trie is meant, or `None` for the trie of accounts.
    /// A source may go by the hash or by the place.
    ///
    /// # Errors
    ///
    /// If the source cannot be read.
    fn node(&self, owner: Option<B256>, path: &Nibbles, hash: B256) -> Result<Option<Bytes>, Self::Error>;
}

/// The source of a trie that needs none: every node that it touches is in memory.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoSource;

impl NodeSource for NoSource {
    type Error = std::convert::Infallible;

    fn node(&self, _: Option<B256>, _: &Nibbles, _: B256) -> Result<Option<Bytes>, Self::Error> {
        Ok(None)
    }
}
