//! Subtrees made from nothing.

use super::{
    node::{Branch, Extension, Kind, Leaf, Link},
    update::{Update, by_nibble, split_ending},
    value::Value,
    walk::{Effects, Walk, worth_splitting},
};
use crate::trie::source::NodeSource;
use rayon::prelude::*;

impl<N: NodeSource> Walk<'_, N> {
    /// The subtree of these keys, `depth` nibbles below the root. All updates set values; without any there is no
    /// subtree.
    pub(super) fn build(&self, depth: usize, updates: &mut [Update], effects: &mut Effects) -> Option<Link> {
        let leaves = updates.len();
        let (first, rest) = updates.split_first_mut()?;
        let Some(last) = rest.last() else {
            let leaf = Leaf { path: first.key.slice(depth..), value: first.value.take()? };
            return Some(Link::fresh(self.new_node(Kind::Leaf(leaf), effects), 1));
        };
        let shared = first.key.common_prefix_length(&last.key);
        let prefix = first.key.slice(depth..shared);
        let branch = self.build_branch(shared, updates, effects);
        let branch = Link::fresh(self.new_node(Kind::Branch(branch), effects), leaves);
        if prefix.is_empty() {
            return Some(branch);
        }
        let extension = Kind::Extension(Box::new(Extension { path: prefix, child: branch }));
        Some(Link::fresh(self.new_node(extension, effects), leaves))
    }

    fn build_branch(&self, depth: usize, updates: &mut [Update], effects: &mut Effects) -> Branch {
        let (ending, rest) = split_ending(updates, depth);
        let value: Option<Value> = ending.and_then(|update| update.value.take());
        if !worth_splitting(rest.len()) {
            let children: Vec<_> = by_nibble(rest, depth)
                .filter_map(|(nibble, group)| Some((nibble, self.build(depth + 1, group, effects)?)))
                .collect();
            return Branch::new(children, value);
        }
        let groups: Vec<_> = by_nibble(rest, depth).collect();
        let parts: Vec<_> = groups
            .into_par_iter()
            .with_max_len(1)
            .map(|(nibble, group)| {
                let mut effects = Effects::default();
                let child = self.build(depth + 1, group, &mut effects);
                (nibble, child, effects)
            })
            .collect();
        let children: Vec<_> = parts
            .into_iter()
            .filter_map(|(nibble, child, part)| {
                effects.merge(part);
                Some((nibble, child?))
            })
            .collect();
        Branch::new(children, value)
    }
}
