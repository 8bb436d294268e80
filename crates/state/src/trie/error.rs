use alloy_primitives::B256;
use alloy_trie::Nibbles;
use std::fmt;

/// Why a trie could not be read or changed.
///
/// None of these says anything about the validity of a block. `E` is the error of the [`NodeSource`](super::NodeSource).
#[derive(Debug, thiserror::Error)]
pub enum TrieError<E> {
    /// The source failed.
    #[error("cannot read the node at {place}: {error}")]
    Source {
        /// Where the node was needed.
        place: Box<Place>,
        /// What the source says.
        #[source]
        error: E,
    },
    /// The source does not have a node that is needed.
    #[error("the node at {place} with the hash {hash} is not known")]
    Missing {
        /// Where the node is needed.
        place: Box<Place>,
        /// Keccak-256 of the node.
        hash: B256,
    },
    /// The source has another node than the one that is needed.
    #[error("the node at {place} should have the hash {expected} but has {actual}")]
    Mismatch {
        /// Where the node is needed.
        place: Box<Place>,
        /// The hash that its parent states.
        expected: B256,
        /// The Keccak-256 of what the source has.
        actual: B256,
    },
    /// A node or the value in a leaf cannot be decoded.
    #[error("the node at {place} is malformed")]
    Malformed {
        /// Where the node is.
        place: Box<Place>,
    },
    /// Storage was written to an account that does not exist, so that no leaf can hold its root.
    #[error("the account with the hashed address {0} has storage but does not exist")]
    StorageWithoutAccount(B256),
    /// An earlier call failed half-way. The trie has to be made anew from a known root.
    #[error("an earlier failure has left the trie half-changed")]
    Unusable,
}

/// A node's place: which trie, and the path from its root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The hashed address of the account whose storage trie is meant; `None` for the trie of accounts.
    pub owner: Option<B256>,
    /// The nibbles from the root to the node.
    pub path: Nibbles,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("path ")?;
        if self.path.is_empty() {
            f.write_str("(root)")?;
        }
        for nibble in self.path.iter() {
            write!(f, "{nibble:x}")?;
        }
        match self.owner {
            Some(owner) => write!(f, " of the storage trie of {owner}"),
            None => f.write_str(" of the account trie"),
        }
    }
}
