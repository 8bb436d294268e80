//! The embedded database: state, tries, blocks and what is needed to go back, in one file with atomic commits.
//!
//! # Tables
//!
//! | table | key | value |
//! |---|---|---|
//! | `accounts` | Keccak-256 of the address | RLP of nonce, balance, storage root, code hash |
//! | `storage` | Keccak-256 of the address, Keccak-256 of the slot | the value, big-endian without leading zeros |
//! | `codes` | Keccak-256 of the code | the code |
//! | `account_nodes` | path | RLP of an inner node of the trie of accounts |
//! | `storage_nodes` | Keccak-256 of the address, path | RLP of an inner node of that account's storage trie |
//! | `headers` | number | RLP of the header |
//! | `hashes` | block hash | number |
//! | `bodies` | number | RLP of transactions, ommers and withdrawals |
//! | `receipts` | number | RLP of the receipts, without blooms |
//! | `transactions` | transaction hash | number of the block, index in it |
//! | `undo` | number | what the block overwrote; see [`UndoRecord`] |
//! | `meta` | name | schema version, genesis hash, chain configuration, head |
//!
//! A path is one byte a nibble, so that keys sort in the order in which a depth-first walk meets the nodes, the parent
//! before its children.
//!
//! # Processes
//!
//! One process writes, and holds the directory's lock. Any number of others read meanwhile ([`Database::open_to_read`]): the
//! storage engine's file locks keep it from using pages again that one of them reads.
//!
//! # Invariants
//!
//! 1. `accounts` and `storage` are the leaves of the tries of the head's state root. Tries keep no other record of
//!    their leaves: [`Snapshot`] builds a leaf's node from its row.
//! 2. `account_nodes` and `storage_nodes` hold exactly the inner nodes of these tries.
//! 3. Blocks from genesis to head are complete: header, hash, body, receipts, transaction index; undo record for all but
//!    the genesis.
//! 4. Every commit moves from one state in which 1 to 3 hold to another, or does nothing. It is on disk when it
//!    returns.
//! 5. While a genesis is being loaded there is no head, and nothing can be read as a state.

mod block;
pub mod check;
mod commit;
mod connection;
mod error;
mod genesis;
mod guard;
mod handle;
mod history;
mod iterate;
mod keys;
mod leaves;
mod lock;
mod meta;
mod nodes;
mod open;
mod options;
mod rows;
mod snapshot;
mod state;
mod stats;
mod tables;
mod undo;
mod undo_row;
mod unwind;

pub use block::{Batch, BlockBody, BlockRecord, Head};
pub use commit::CommitStats;
pub use error::DatabaseError;
pub use genesis::GenesisLoader;
pub use handle::Database;
pub use iterate::{Accounts, Slots};
pub use options::DatabaseOptions;
pub use snapshot::Snapshot;
pub use stats::{DatabaseStats, TableStats};
pub use undo::UndoRecord;
pub use unwind::Unwind;
