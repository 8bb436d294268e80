//! Forgetting nodes that the source can give back.

use super::{node::Link, walk::wide_root};
use rayon::prelude::*;
use std::collections::BTreeMap;

/// Number of nodes by the epoch of their last visit.
pub(crate) type Ages = BTreeMap<u32, usize>;

/// Counts the nodes that might be forgotten. `depth` is that of the link below the root.
pub(super) fn count_ages(link: &mut Link, depth: usize, durable: u32, ages: &mut Ages) {
    let Some(node) = &mut link.node else { return };
    if node.changed <= durable {
        *ages.entry(node.used).or_default() += 1;
    }
    match wide_root(node, depth) {
        Ok(children) => {
            let parts = children.into_par_iter().with_max_len(1).map(|(_, child)| {
                let mut ages = Ages::new();
                count_ages(child, depth + 1, durable, &mut ages);
                ages
            });
            add_ages(ages, parts.collect::<Vec<_>>());
        }
        Err(node) => node.children_mut().for_each(|(_, child)| count_ages(child, depth + 1, durable, ages)),
    }
}

/// Adds up counts.
pub(crate) fn add_ages(ages: &mut Ages, parts: Vec<Ages>) {
    for (used, nodes) in parts.into_iter().flatten() {
        *ages.entry(used).or_default() += nodes;
    }
}

/// Forgets the nodes that have not changed after epoch `durable` nor been visited after `used`. Returns how many.
pub(super) fn forget(link: &mut Link, depth: usize, durable: u32, used: u32) -> usize {
    let Some(node) = &mut link.node else { return 0 };
    let below: usize = match wide_root(node, depth) {
        Ok(children) => children
            .into_par_iter()
            .with_max_len(1)
            .map(|(_, child)| forget(child, depth + 1, durable, used))
            .sum(),
        Err(node) => node.children_mut().map(|(_, child)| forget(child, depth + 1, durable, used)).sum(),
    };
    if node.changed > durable || node.used > used || link.stale > 0 {
        return below;
    }
    // By invariant 3 all children are gone, too.
    link.node = None;
    below + 1
}
