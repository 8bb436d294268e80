//! All of the crate's integration tests in one binary: each binary would compile the engine anew.

mod common;
mod database;
mod fixtures;
#[cfg(feature = "serde")]
mod json;
mod recorded;
mod trie_faults;
mod trie_official;
mod trie_prefixes;
mod trie_random;
mod trie_support;
mod witness;
