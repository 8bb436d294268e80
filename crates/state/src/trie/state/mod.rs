//! The tries of a whole state: that of accounts and those of their storage.

mod account;
mod shard;
mod state_trie;

pub(super) use account::{decode_account, decode_slot};
pub use state_trie::StateTrie;
