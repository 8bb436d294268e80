//! Merkle-Patricia tries of the state: one trie of accounts, and for each account with storage one of its slots.
//!
//! Keys are Keccak-256 hashes of addresses and slots. A trie is *sparse*: it holds the nodes that were needed so far and
//! knows the rest by hash; a [`NodeSource`] supplies them on demand.
//!
//! [`StateTrie`] keeps the tries of a whole state warm from block to block and says what a database has to store. A
//! database stores inner nodes by path and leaves as flat rows. [`Witness`] proves parts of one state without a database.

mod changes;
mod error;
mod source;
mod sparse;
mod state;
mod updates;
mod witness;

pub use changes::{HashedAccount, HashedChanges};
pub use error::{NodePath, TrieError};
pub use source::{NoSource, NodeSource};
pub use sparse::SparseTrie;
pub use state::StateTrie;
pub use updates::{LeafUpdates, NodeUpdates, StorageLeaves, StorageNodes};
pub use witness::{UnprovenWitness, Witness, WitnessError, WitnessStore, WitnessStoreError};
