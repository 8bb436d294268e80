//! One Merkle-Patricia trie, held in part: nodes come from a source when they are needed, and can be forgotten.
//!
//! Updates change nodes only; references (hashes) are computed when the root is asked for, for what is stale. Both work on
//! batches that are split by nibble from the root down, in parallel on the current rayon pool where a part is large.

mod apply;
mod build;
mod collect;
mod decode;
mod encode;
mod find;
mod hash;
mod node;
mod prune;
mod read;
mod reference;
mod trie;
mod update;
mod value;
mod walk;

pub(super) use prune::{Ages, add_ages};
pub(super) use read::{for_each_leaf, prove};
pub use trie::SparseTrie;
pub(super) use update::Update;
pub(super) use value::Value;
