//! Look-ups of sorted batches of keys, which load the paths to them.

use super::{
    node::{Kind, Link},
    walk::{Effects, Walk, child_path, worth_splitting},
};
use crate::trie::error::{NodePath, TrieError};
use crate::trie::source::NodeSource;
use alloy_trie::Nibbles;
use rayon::prelude::*;

/// A key that is looked up, and where its value goes.
pub(super) struct Query<T> {
    pub(super) key: Nibbles,
    pub(super) found: Option<T>,
}

impl<N: NodeSource> Walk<'_, N> {
    /// Looks up keys, sorted and all starting with `path`, in the subtree there. `decode` makes of a value what is
    /// wanted; `None` stands for a malformed one.
    pub(super) fn find<T: Send>(
        &self,
        link: &mut Link,
        path: &Nibbles,
        queries: &mut [Query<T>],
        decode: &(impl Fn(&[u8]) -> Option<T> + Sync),
        effects: &mut Effects,
    ) -> Result<(), TrieError<N::Error>> {
        if queries.is_empty() {
            return Ok(());
        }
        let answer = |query: &mut Query<T>, value: &[u8]| match decode(value) {
            Some(value) => {
                query.found = Some(value);
                Ok(())
            }
            None => Err(TrieError::Malformed { node: NodePath { owner: self.owner, path: *path }.into() }),
        };
        match &mut self.node(link, path, effects)?.kind {
            Kind::Leaf(leaf) => {
                let key = path.join(&leaf.path);
                queries
                    .iter_mut()
                    .filter(|query| query.key == key)
                    .try_for_each(|query| answer(query, leaf.value.as_slice()))
            }
            Kind::Extension(extension) => {
                let stem = path.join(&extension.path);
                let start = queries.partition_point(|query| query.key < stem);
                let end = start + queries[start..].partition_point(|query| query.key.starts_with(&stem));
                self.find(&mut extension.child, &stem, &mut queries[start..end], decode, effects)
            }
            Kind::Branch(branch) => {
                let depth = path.len();
                let ending = queries.partition_point(|query| query.key.len() == depth);
                let (ending, rest) = queries.split_at_mut(ending);
                if let Some(value) = &branch.value {
                    ending.iter_mut().try_for_each(|query| answer(query, value.as_slice()))?;
                }
                let split = worth_splitting(rest.len());
                let mut children = branch.children_mut().peekable();
                let mut parts = Vec::new();
                for group in
                    rest.chunk_by_mut(|a, b| a.key.get_unchecked(depth) == b.key.get_unchecked(depth))
                {
                    let nibble = group[0].key.get_unchecked(depth);
                    while children.next_if(|(child, _)| *child < nibble).is_some() {}
                    if let Some((_, child)) = children.next_if(|(child, _)| *child == nibble) {
                        if split {
                            parts.push((nibble, child, group, Effects::default()));
                        } else {
                            self.find(child, &child_path(path, nibble), group, decode, effects)?;
                        }
                    }
                }
                let result =
                    parts.par_iter_mut().with_max_len(1).try_for_each(|(nibble, child, group, effects)| {
                        self.find(child, &child_path(path, *nibble), group, decode, effects)
                    });
                parts.into_iter().for_each(|(.., part)| effects.merge(part));
                result
            }
        }
    }
}
