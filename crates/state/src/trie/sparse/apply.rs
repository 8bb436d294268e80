//! Sorted batches of updates, applied from the root down: a batch is split by nibble at each branch.

use super::{
    node::{Branch, Extension, Kind, Leaf, Link, Node},
    update::{Update, by_nibble, insertions, split_ending},
    value::Value,
    walk::{Effects, Walk, child_path, missing, worth_splitting},
};
use crate::trie::error::TrieError;
use crate::trie::source::NodeSource;
use alloy_trie::Nibbles;
use rayon::prelude::*;

impl<N: NodeSource> Walk<'_, N> {
    /// Applies updates, whose keys all start with `path`, to the subtree there. Returns whether it changed.
    pub(super) fn apply(
        &self,
        slot: &mut Option<Link>,
        path: &Nibbles,
        updates: &mut [Update],
        effects: &mut Effects,
    ) -> Result<bool, TrieError<N::Error>> {
        if updates.is_empty() {
            return Ok(false);
        }
        let leaves = updates.len();
        let Some(link) = slot else {
            *slot = self.build(path.len(), insertions(updates), effects);
            return Ok(slot.is_some());
        };
        let node = self.node(link, path, effects)?;
        let changed = match &mut node.kind {
            Kind::Leaf(_) => return Ok(self.apply_to_leaf(slot, path, updates, effects)),
            Kind::Extension(extension) => {
                let stem = path.join(&extension.path);
                let start = updates.partition_point(|update| update.key < stem);
                let end = start + updates[start..].partition_point(|update| update.key.starts_with(&stem));
                let outside = updates[..start].iter().chain(&updates[end..]);
                let fork = outside
                    .filter(|update| update.value.is_some())
                    .map(|update| update.key.common_prefix_length(&stem))
                    .min();
                if let Some(fork) = fork {
                    self.split(node, path, fork - path.len(), effects);
                    link.mark(leaves);
                    return self.apply(slot, path, updates, effects);
                }
                let mut child = Some(extension.child.take());
                let result = self.apply(&mut child, &stem, &mut updates[start..end], effects);
                if let Some(child) = child {
                    extension.child = child;
                } else {
                    self.remove(slot, path, effects);
                    return result;
                }
                result?
            }
            Kind::Branch(branch) => self.apply_to_branch(branch, path, updates, effects)?,
        };
        if !changed {
            return Ok(false);
        }
        node.changed = self.epoch;
        link.mark(leaves);
        self.restore_shape(slot, path, effects)?;
        Ok(true)
    }

    /// Applies updates where there is one leaf, which is in memory.
    fn apply_to_leaf(
        &self,
        slot: &mut Option<Link>,
        path: &Nibbles,
        updates: &mut [Update],
        effects: &mut Effects,
    ) -> bool {
        let Some(link) = slot else { return false };
        let Some(Node { kind: Kind::Leaf(leaf), changed, .. }) = link.node.as_deref_mut() else {
            return false;
        };
        let key = path.join(&leaf.path);
        let own = updates.binary_search_by(|update| update.key.cmp(&key)).ok();
        let others = updates.iter().enumerate().any(|(i, update)| Some(i) != own && update.value.is_some());
        match (own, others) {
            (None, false) => return false,
            (Some(index), false) => match updates[index].value.take() {
                Some(value) if value == leaf.value => return false,
                Some(value) => {
                    leaf.value = value;
                    *changed = self.epoch;
                    link.mark(1);
                }
                None => self.remove(slot, path, effects),
            },
            (own, true) => {
                let mut all = Vec::with_capacity(updates.len() + 1);
                all.extend(
                    insertions(updates)
                        .iter_mut()
                        .map(|update| Update { key: update.key, value: update.value.take() }),
                );
                if own.is_none() {
                    let value = std::mem::replace(&mut leaf.value, Value::Heap(Box::default()));
                    let index = all.partition_point(|update| update.key < key);
                    all.insert(index, Update { key, value: Some(value) });
                }
                effects.dropped += 1;
                *slot = self.build(path.len(), &mut all, effects);
            }
        }
        true
    }

    fn apply_to_branch(
        &self,
        branch: &mut Branch,
        path: &Nibbles,
        updates: &mut [Update],
        effects: &mut Effects,
    ) -> Result<bool, TrieError<N::Error>> {
        let mut changed = false;
        let (ending, rest) = split_ending(updates, path.len());
        if let Some(update) = ending {
            let value = update.value.take();
            if value.as_ref() != branch.value.as_deref() {
                branch.value = value.map(Box::new);
                changed = true;
            }
        }
        if !worth_splitting(rest.len()) {
            for (nibble, group) in by_nibble(rest, path.len()) {
                let mut child = branch.take(nibble);
                let result = self.apply(&mut child, &child_path(path, nibble), group, effects);
                branch.put(nibble, child);
                changed |= result?;
            }
            return Ok(changed);
        }
        let groups: Vec<_> =
            by_nibble(rest, path.len()).map(|(nibble, group)| (nibble, branch.take(nibble), group)).collect();
        let parts: Vec<_> = groups
            .into_par_iter()
            .with_max_len(1)
            .map(|(nibble, mut child, group)| {
                let mut effects = Effects::default();
                let result = self.apply(&mut child, &child_path(path, nibble), group, &mut effects);
                (nibble, child, effects, result)
            })
            .collect();
        let mut outcome = Ok(());
        for (nibble, child, part, result) in parts {
            branch.put(nibble, child);
            effects.merge(part);
            match result {
                Ok(part_changed) => changed |= part_changed,
                Err(error) => outcome = Err(error),
            }
        }
        outcome.map(|()| changed)
    }

    /// Splits an extension `shared` nibbles into its path, where a branch comes to stand that has the rest as its only
    /// child. Some update is about to add another.
    fn split(&self, node: &mut Node, path: &Nibbles, shared: usize, effects: &mut Effects) {
        let Kind::Extension(extension) = &mut node.kind else { return };
        let stem = extension.path;
        let child = extension.child.take();
        let below = if shared + 1 == stem.len() {
            child
        } else {
            let rest = Extension { path: stem.slice(shared + 1..), child };
            Link::fresh(self.new_node(Kind::Extension(Box::new(rest)), effects), 1)
        };
        let branch = Kind::Branch(Branch::new([(stem.get_unchecked(shared), below)], None));
        node.kind = if shared == 0 {
            branch
        } else {
            let child = Link::fresh(self.new_node(branch, effects), 1);
            Kind::Extension(Box::new(Extension { path: stem.slice(..shared), child }))
        };
        node.changed = self.epoch;
        debug_assert!(path.len() + stem.len() <= 64);
    }

    /// Removes a node without children.
    fn remove(&self, slot: &mut Option<Link>, path: &Nibbles, effects: &mut Effects) {
        if let Some(mut node) = slot.take().and_then(|link| link.node) {
            effects.vanish(&mut node, path);
            effects.dropped += 1;
        }
    }

    /// Makes a changed node canonical again: a branch needs two entries, an extension a branch below.
    fn restore_shape(
        &self,
        slot: &mut Option<Link>,
        path: &Nibbles,
        effects: &mut Effects,
    ) -> Result<(), TrieError<N::Error>> {
        let Some(node) = slot.as_mut().and_then(|link| link.node.as_deref_mut()) else { return Ok(()) };
        match &mut node.kind {
            Kind::Leaf(_) => {}
            Kind::Extension(extension) => {
                let (prefix, child) = (extension.path, &mut extension.child);
                if !matches!(child.kind(), None | Some(Kind::Branch(_))) {
                    let child = child.take();
                    self.absorb(node, path, prefix, child, effects);
                }
            }
            Kind::Branch(branch) => match (branch.len(), &mut branch.value) {
                (0, None) => self.remove(slot, path, effects),
                (0, value @ Some(_)) => {
                    if let Some(value) = value.take() {
                        node.kind = Kind::Leaf(Leaf { path: Nibbles::new(), value: *value });
                        effects.vanish(node, path);
                    }
                }
                (1, None) => {
                    if let Some((nibble, mut child)) = branch.take_only_child() {
                        let known = self.known_sibling(&mut child, &child_path(path, nibble), effects);
                        self.absorb(node, path, Nibbles::from_nibbles_unchecked([nibble]), child, effects);
                        known?;
                    }
                }
                _ => {}
            },
        }
        Ok(())
    }

    /// Loads the last child of a branch, whose kind decides what becomes of the branch.
    fn known_sibling(
        &self,
        child: &mut Link,
        path: &Nibbles,
        effects: &mut Effects,
    ) -> Result<(), TrieError<N::Error>> {
        if child.node.is_none() {
            child.node = self.load(&child.reference, path, effects)?;
            if child.node.is_none() && !N::UNPROVEN_SIBLINGS {
                return Err(missing(self.owner, path, &child.reference));
            }
        }
        Ok(())
    }

    /// Turns the node at `path` into one that leads over `prefix` to what is now `child`: with a leaf or an extension it
    /// becomes one with it; over a branch, or what is taken for one, it becomes an extension.
    fn absorb(
        &self,
        node: &mut Node,
        path: &Nibbles,
        prefix: Nibbles,
        mut child: Link,
        effects: &mut Effects,
    ) {
        match child.node.as_deref_mut() {
            Some(Node { kind: Kind::Leaf(leaf), .. }) => {
                let value = std::mem::replace(&mut leaf.value, Value::Heap(Box::default()));
                node.kind = Kind::Leaf(Leaf { path: prefix.join(&leaf.path), value });
                effects.vanish(node, path);
                effects.dropped += 1;
            }
            Some(below @ Node { kind: Kind::Extension(_), .. }) => {
                effects.vanish(below, &path.join(&prefix));
                effects.dropped += 1;
                if let Kind::Extension(extension) = &mut below.kind {
                    let joined =
                        Extension { path: prefix.join(&extension.path), child: extension.child.take() };
                    node.kind = Kind::Extension(Box::new(joined));
                }
            }
            None | Some(Node { kind: Kind::Branch(_), .. }) => {
                node.kind = Kind::Extension(Box::new(Extension { path: prefix, child }));
            }
        }
    }
}
