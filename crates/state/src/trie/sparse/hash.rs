//! References of changed nodes, computed from the leaves up.

use super::{encode::encode, node::Link, reference::Reference, walk::worth_splitting};
use rayon::prelude::*;

/// Brings a link's reference, and all below it, up to date. `buffer` is scratch space.
pub(super) fn refresh(link: &mut Link, buffer: &mut Vec<u8>) {
    if link.stale == 0 {
        return;
    }
    if let Some(node) = &mut link.node {
        let stale = node.children_mut().map(|(_, child)| child).filter(|child| child.stale > 0);
        if worth_splitting(link.stale as usize) {
            let stale: Vec<_> = stale.collect();
            stale
                .into_par_iter()
                .with_max_len(1)
                .for_each_init(Vec::new, |buffer, child| refresh(child, buffer));
        } else {
            stale.for_each(|child| refresh(child, buffer));
        }
        encode(&node.kind, buffer);
        link.reference = Reference::to(buffer);
    }
    link.stale = 0;
}
