//! Slots of a contract: the KAMT of the EVM actor, a message's changes of it, and merging them into another one.
//!
//! A node is a bitfield and, for each bit set, a pointer: one key and its value, or a link to a node that holds the keys of that
//! prefix (bit width 5, buckets of one). Keys and values are numbers of 256 bits without leading zero bytes.

mod replace;
mod slot;

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use cid::Cid;
use foldhash::fast::RandomState;
use fvm_ipld_blockstore::Blockstore;
use fvm_ipld_kamt::{AsHashedKey, HashedKey, Kamt};

use crate::cbor::Reader;
use crate::record::Cids;
use slot::LAYOUT;

pub(crate) use slot::{Slot, Value};

/// The hash of a key is the key itself: its own 32 bytes.
pub(crate) struct IdentityHash;

impl AsHashedKey<Slot, 32> for IdentityHash {
    fn as_hashed_key(key: &Slot) -> Cow<'_, HashedKey<32>> {
        let mut hash = [0; 32];
        // A longer key is refused where slots are read from nodes.
        let size = key.0.len().min(32);
        hash[32 - size..].copy_from_slice(&key.0[..size]);
        Cow::Owned(hash)
    }
}

/// A contract's slots.
pub(crate) type Slots<'a, S> = Kamt<&'a S, Slot, Value, IdentityHash>;

/// An empty contract's slots.
pub(crate) fn empty<S: Blockstore>(store: &S) -> Slots<'_, S> {
    Kamt::new_with_config(store, LAYOUT)
}

/// A message's changes: the new value of each slot, or `None` where it has none any more.
pub(crate) type Diff = Vec<(Slot, Option<Value>)>;

/// The slots and links of one node.
#[derive(Default)]
struct Node<'a> {
    /// Keys and values.
    slots: Vec<(&'a [u8], &'a [u8])>,
    children: Vec<Cid>,
}

impl<'a> Node<'a> {
    fn read(data: &'a [u8]) -> Option<Self> {
        let mut reader = Reader::new(data);
        if reader.array()? != 2 {
            return None;
        }
        reader.bytes()?;
        let mut node = Self::default();
        for _ in 0..reader.array()? {
            if reader.map()? != 1 {
                return None;
            }
            match reader.text()? {
                b"v" => {
                    for _ in 0..reader.array()? {
                        if reader.array()? != 2 {
                            return None;
                        }
                        let key = reader.bytes()?;
                        if key.len() > 32 || key.first() == Some(&0) {
                            return None;
                        }
                        node.slots.push((key, reader.bytes()?));
                    }
                }
                b"l" => {
                    if reader.array()? != 3 {
                        return None;
                    }
                    node.children.push(reader.link()?.cid()?);
                    reader.uint()?;
                    reader.bytes()?;
                }
                _ => return None,
            }
        }
        reader.at_end().then_some(node)
    }
}

/// A message's changes between the roots `pre` and `post`.
///
/// From `post` only nodes that the message wrote are read, from `pre` only nodes that it did not keep. All of these it must have
/// opened: the replacement of a node that was never read shows nothing of the part that the message kept. `None` if that does
/// not hold, or if anything is not a KAMT as the EVM actor writes it: such a message counts as conflicting with any other
/// change of the contract.
pub(crate) fn diff(
    store: &impl Blockstore,
    pre: &Cid,
    post: &Cid,
    opened: &Cids,
    written: &Cids,
) -> Option<Diff> {
    let read = |cid: &Cid| store.get(cid).ok().flatten();
    let (mut kept, mut new, mut todo) = (HashSet::new(), Vec::new(), vec![*post]);
    while let Some(cid) = todo.pop() {
        if written.contains(&cid) {
            let data = read(&cid)?;
            todo.extend(Node::read(&data)?.children);
            new.push(data);
        } else {
            kept.insert(cid);
        }
    }
    let (mut met, mut old, mut todo) = (0, Vec::new(), vec![*pre]);
    while let Some(cid) = todo.pop() {
        if kept.contains(&cid) {
            met += 1;
        } else if opened.contains(&cid) {
            let data = read(&cid)?;
            todo.extend(Node::read(&data)?.children);
            old.push(data);
        } else {
            return None;
        }
    }
    // Whatever was kept must come from `pre`.
    if met != kept.len() {
        return None;
    }
    let mut after: HashMap<&[u8], &[u8], RandomState> = HashMap::default();
    for data in &new {
        after.extend(Node::read(data)?.slots);
    }
    let slot = |key: &[u8]| Slot(key.to_vec());
    let value = |value: &[u8]| Value(value.to_vec());
    let mut changes = Diff::new();
    for data in &old {
        for (key, before) in Node::read(data)?.slots {
            match after.remove(key) {
                Some(same) if same == before => {}
                changed => changes.push((slot(key), changed.map(value))),
            }
        }
    }
    changes.extend(after.into_iter().map(|(key, new)| (slot(key), Some(value(new)))));
    Some(changes)
}

/// Makes the changes on the slots under `root`; gives the new root. The layout depends on the slots alone and not on the order
/// of changes, so this is the root that the message would have left.
pub(crate) fn merge(store: &impl Blockstore, root: &Cid, diff: &Diff) -> Option<Cid> {
    let values = diff.iter().map(|(slot, value)| Some((slot, value.as_ref()?)));
    if let Some(values) = values.collect::<Option<Vec<_>>>()
        && let Some(root) = replace::replace(store, root, &values, 0)
    {
        return Some(root);
    }
    let mut slots: Slots<'_, _> = Kamt::load_with_config(root, store, LAYOUT).ok()?;
    for (slot, value) in diff {
        match value {
            Some(value) => slots.set(slot.clone(), value.clone()).ok()?,
            None => slots.delete(slot).ok()?,
        };
    }
    slots.flush().ok()
}

#[cfg(test)]
mod tests;
