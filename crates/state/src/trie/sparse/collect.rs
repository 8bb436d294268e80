//! Changed inner nodes, for a database.

use super::{encode::encode, node::Link, walk::wide_root};
use alloy_primitives::Bytes;
use alloy_trie::Nibbles;
use rayon::prelude::*;

/// Inner nodes by path, `None` where there is none any more; ascending.
pub(crate) type Changes = Vec<(Nibbles, Option<Bytes>)>;

/// The changes of a trie since `epoch` began. `vanished` are the places where a stored node ceased to be at some time
/// since; there may be another one by now. References have to be up to date.
pub(super) fn collect(root: Option<&mut Link>, mut vanished: Vec<Nibbles>, epoch: u32) -> Changes {
    let mut changes = Vec::new();
    if let Some(link) = root {
        visit(link, &Nibbles::new(), epoch, &mut Vec::new(), &mut changes);
    }
    vanished.sort_unstable();
    vanished.dedup();
    vanished.retain(|path| changes.binary_search_by_key(path, |(path, _)| *path).is_err());
    if !vanished.is_empty() {
        changes.extend(vanished.into_iter().map(|path| (path, None)));
        changes.sort_unstable_by_key(|(path, _)| *path);
    }
    changes
}

fn visit(link: &mut Link, path: &Nibbles, epoch: u32, buffer: &mut Vec<u8>, changes: &mut Changes) {
    let reference = link.reference;
    let Some(node) = link.node.as_deref_mut().filter(|node| node.changed >= epoch) else { return };
    if node.is_leaf() {
        return;
    }
    // An embedded node is part of its parent, but nothing is above the root.
    if reference.is_hash() || path.is_empty() {
        encode(&node.kind, buffer);
        changes.push((*path, Some(Bytes::copy_from_slice(buffer))));
        node.stored = true;
    } else if std::mem::take(&mut node.stored) {
        changes.push((*path, None));
    }
    match wide_root(node, path.len()) {
        Ok(children) => {
            let parts = children.into_par_iter().with_max_len(1).map(|(step, child)| {
                let mut part = Vec::new();
                visit(child, &path.join(&step), epoch, &mut Vec::new(), &mut part);
                part
            });
            changes.extend(parts.collect::<Vec<_>>().into_iter().flatten());
        }
        Err(node) => {
            for (step, child) in node.children_mut() {
                visit(child, &path.join(&step), epoch, buffer, changes);
            }
        }
    }
}
