use crate::database::error::DatabaseError;
use crate::database::nodes::wrong_node;
use alloy_primitives::{B256, keccak256};
use alloy_rlp::{Decodable, Encodable};
use alloy_trie::{
    EMPTY_ROOT_HASH, Nibbles,
    nodes::{LeafNodeRef, RlpNode, TrieNode},
};

/// The rows of one trie, each kind in the order of keys. That is the order in which a walk from the root, the parent
/// before its children, meets them.
pub(super) trait TrieRows {
    /// The path of the next row of an inner node.
    fn next_node(&mut self) -> Result<Option<Nibbles>, DatabaseError>;

    /// The RLP in that row; moves on to the one after it.
    fn take_node(&mut self) -> Result<Vec<u8>, DatabaseError>;

    /// The next leaf's key and value.
    fn take_leaf(&mut self) -> Result<Option<(B256, Vec<u8>)>, DatabaseError>;
}

/// Walks a trie from its root down, and makes sure that it is made of exactly these rows.
pub(super) fn walk(rows: &mut impl TrieRows, owner: Option<B256>, root: B256) -> Result<(), DatabaseError> {
    let wrong = |path: &Nibbles, found: &str| Err(wrong_node(owner, path, found));
    let mut todo = Vec::new();
    if root != EMPTY_ROOT_HASH {
        todo.push((Nibbles::new(), RlpNode::word_rlp(&root)));
    }
    while let Some((path, expected)) = todo.pop() {
        let inner = match rows.next_node()? {
            Some(found) if found < path => {
                return wrong(&found, "an inner node that its parent does not name");
            }
            Some(found) if found == path => Some(rows.take_node()?),
            _ if expected.is_hash() => None,
            // A node of less than 32 bytes stands in its parent; an inner one of these needs no row.
            _ => Some(expected.to_vec()).filter(|rlp| !is_leaf(rlp)),
        };
        let Some(rlp) = inner else {
            let Some((key, value)) = rows.take_leaf()? else {
                return wrong(&path, "no node");
            };
            let key = Nibbles::unpack(key);
            if !key.starts_with(&path) {
                return wrong(&path, "no node");
            }
            let rest = key.slice(path.len()..);
            let mut rlp = Vec::new();
            LeafNodeRef { key: &rest, value: &value }.encode(&mut rlp);
            if !is_node(&expected, &rlp) {
                return wrong(&path, "a leaf that is not the one that its parent names");
            }
            continue;
        };
        if !is_node(&expected, &rlp) {
            return wrong(&path, "an inner node that is not the one that its parent names");
        }
        match TrieNode::decode(&mut rlp.as_slice()) {
            Ok(TrieNode::Branch(branch)) => {
                let mut children = Vec::new();
                for (nibble, child) in branch.as_ref().children() {
                    children.extend(child.map(|child| (nibble, child.clone())));
                }
                for (nibble, child) in children.into_iter().rev() {
                    let mut path = path;
                    path.push(nibble);
                    todo.push((path, child));
                }
            }
            Ok(TrieNode::Extension(extension)) => todo.push((path.join(&extension.key), extension.child)),
            Ok(_) => return wrong(&path, "a row for a node that is no inner node"),
            Err(error) => return wrong(&path, &format!("a malformed node ({error})")),
        }
    }
    if let Some(path) = rows.next_node()? {
        return wrong(&path, "an inner node that its parent does not name");
    }
    match rows.take_leaf()? {
        Some((key, _)) => wrong(&Nibbles::unpack(key), "a leaf that no node names"),
        None => Ok(()),
    }
}

/// Whether a parent that names `expected` means the node `rlp`.
fn is_node(expected: &RlpNode, rlp: &[u8]) -> bool {
    expected.as_hash().map_or(expected.as_slice() == rlp, |hash| keccak256(rlp) == hash)
}

fn is_leaf(rlp: &[u8]) -> bool {
    matches!(TrieNode::decode(&mut &*rlp), Ok(TrieNode::Leaf(_)))
}
