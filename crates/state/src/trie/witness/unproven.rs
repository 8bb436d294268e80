use super::nodes::Witness;
use crate::trie::source::NodeSource;
use alloy_primitives::{B256, Bytes};
use alloy_trie::Nibbles;
use std::convert::Infallible;

/// A witness of which nodes that are absent where a branch collapses are taken to be branches: some recorders leave such
/// siblings out.
///
/// Roots that follow from it are unproven. The root of a state that no block leads to may come out where the absent node
/// is a leaf or an extension.
#[derive(Clone, Copy, Debug)]
pub struct UnprovenWitness<'w>(pub &'w Witness);

impl NodeSource for UnprovenWitness<'_> {
    type Error = Infallible;

    const UNPROVEN_SIBLINGS: bool = true;
    const VERIFIED: bool = Witness::VERIFIED;

    fn node(&self, owner: Option<B256>, path: &Nibbles, hash: B256) -> Result<Option<Bytes>, Infallible> {
        self.0.node(owner, path, hash)
    }
}
