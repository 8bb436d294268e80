//! Single keys, read without changing the trie.

use super::{
    decode::Shape,
    node::{Kind, Link},
    reference::Reference,
    walk::{child_path, missing, read},
};
use crate::trie::error::{NodePath, TrieError};
use crate::trie::source::NodeSource;
use alloy_primitives::B256;
use alloy_trie::{EMPTY_ROOT_HASH, Nibbles};

/// The value of `key` in the trie with this root, all nodes taken from `source`.
pub(in crate::trie) fn prove<N: NodeSource>(
    owner: Option<B256>,
    root: B256,
    key: &Nibbles,
    source: &N,
) -> Result<Option<Vec<u8>>, TrieError<N::Error>> {
    if root == EMPTY_ROOT_HASH { Ok(None) } else { descend(Reference::hash(root), owner, 0, key, source) }
}

/// The value of `key` in the trie with the root `link`.
pub(super) fn lookup<N: NodeSource>(
    mut link: &Link,
    owner: Option<B256>,
    key: &Nibbles,
    source: &N,
) -> Result<Option<Vec<u8>>, TrieError<N::Error>> {
    let mut depth = 0;
    while let Some(kind) = link.kind() {
        match kind {
            Kind::Leaf(leaf) => {
                return Ok((leaf.path == key.slice(depth..)).then(|| leaf.value.as_slice().to_vec()));
            }
            Kind::Extension(extension) if key.slice(depth..).starts_with(&extension.path) => {
                depth += extension.path.len();
                link = &extension.child;
            }
            Kind::Extension(_) => return Ok(None),
            Kind::Branch(branch) => match key.get(depth) {
                None => return Ok(branch.value.as_ref().map(|value| value.as_slice().to_vec())),
                Some(nibble) => match branch.get(nibble) {
                    None => return Ok(None),
                    Some(child) => (link, depth) = (child, depth + 1),
                },
            },
        }
    }
    descend(link.reference, owner, depth, key, source)
}

/// The value of `key` below a reference at `depth`, nodes decoded on the way.
fn descend<N: NodeSource>(
    mut reference: Reference,
    owner: Option<B256>,
    mut depth: usize,
    key: &Nibbles,
    source: &N,
) -> Result<Option<Vec<u8>>, TrieError<N::Error>> {
    loop {
        let path = key.slice(..depth);
        let node = NodePath { owner, path };
        let malformed = || TrieError::Malformed { node: node.into() };
        let fetched;
        let rlp = match reference.as_embedded() {
            Some(rlp) => rlp,
            None => {
                let rlp = read(source, node, reference.to_hash())?;
                fetched = rlp.ok_or_else(|| missing(owner, &path, &reference))?;
                &fetched
            }
        };
        let next = match Shape::decode(rlp, depth).ok_or_else(malformed)? {
            Shape::Leaf { path, value } => {
                return Ok((path == key.slice(depth..)).then(|| value.to_vec()));
            }
            Shape::Extension { path, child } if key.slice(depth..).starts_with(&path) => {
                depth += path.len();
                child
            }
            Shape::Extension { .. } => return Ok(None),
            Shape::Branch { children, value } => match key.get(depth) {
                None => return Ok((!value.is_empty()).then(|| value.to_vec())),
                Some(nibble) => {
                    depth += 1;
                    match Shape::child(children[usize::from(nibble)]).ok_or_else(malformed)? {
                        None => return Ok(None),
                        Some(child) => child,
                    }
                }
            },
        };
        reference = next;
    }
}

/// Shows all leaves that `source` leads to from the root of the trie of accounts, with their keys. Nodes that it does not
/// have are passed over.
pub(in crate::trie) fn for_each_leaf<N: NodeSource>(
    root: B256,
    source: &N,
    mut show: impl FnMut(&Nibbles, &[u8]) -> Result<(), TrieError<N::Error>>,
) -> Result<(), TrieError<N::Error>> {
    let mut rest = Vec::new();
    if root != EMPTY_ROOT_HASH {
        rest.push((Nibbles::new(), Reference::hash(root)));
    }
    while let Some((path, reference)) = rest.pop() {
        let node = NodePath { owner: None, path };
        let malformed = || TrieError::Malformed { node: node.into() };
        let fetched;
        let rlp = match reference.as_embedded() {
            Some(rlp) => rlp,
            None => match read(source, node, reference.to_hash())? {
                Some(rlp) => {
                    fetched = rlp;
                    &fetched
                }
                None => continue,
            },
        };
        match Shape::decode(rlp, path.len()).ok_or_else(malformed)? {
            Shape::Leaf { path: end, value } => show(&path.join(&end), value)?,
            Shape::Extension { path: stem, child } => rest.push((path.join(&stem), child)),
            Shape::Branch { children, .. } => {
                for (nibble, item) in (0..).zip(children) {
                    if let Some(child) = Shape::child(item).ok_or_else(malformed)? {
                        rest.push((child_path(&path, nibble), child));
                    }
                }
            }
        }
    }
    Ok(())
}
