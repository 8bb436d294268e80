use super::{
    decode::Shape,
    node::{Kind, Link, Node},
    reference::Reference,
};
use crate::trie::error::{NodePath, TrieError};
use crate::trie::source::NodeSource;
use alloy_primitives::{B256, Bytes, keccak256};
use alloy_trie::Nibbles;

/// Leaves for which it pays to hand a part of the work to another thread.
///
/// Each costs a microsecond or more (hashing the path above it, or reading it), a hand-over some tenths of one.
const GRAIN: usize = 32;

/// Inner nodes below a root for which it pays to walk the trie on several threads.
const WIDE: usize = 12;

/// The shared state of all steps of one descent through a trie, on whatever threads they run.
#[derive(Debug)]
pub(super) struct Walk<'a, N> {
    pub(super) source: &'a N,
    pub(super) owner: Option<B256>,
    /// The open epoch, which visited and changed nodes are marked with.
    pub(super) epoch: u32,
}

/// The results of one thread's part of a descent, besides changed nodes.
#[derive(Debug, Default)]
pub(super) struct Effects {
    /// Where the stored inner node ceased to be.
    pub(super) vanished: Vec<Nibbles>,
    /// Nodes that came to memory.
    pub(super) added: usize,
    /// Nodes that left it.
    pub(super) dropped: usize,
}

impl<N: NodeSource> Walk<'_, N> {
    /// The node at a link, read if it is not in memory.
    pub(super) fn node<'l>(
        &self,
        link: &'l mut Link,
        path: &Nibbles,
        effects: &mut Effects,
    ) -> Result<&'l mut Node, TrieError<N::Error>> {
        let node = match link.node.take() {
            Some(node) => node,
            None => self
                .load(&link.reference, path, effects)?
                .ok_or_else(|| missing(self.owner, path, &link.reference))?,
        };
        let node = link.node.insert(node);
        node.used = self.epoch;
        Ok(node)
    }

    /// Reads a node; `None` if the source does not have it.
    pub(super) fn load(
        &self,
        reference: &Reference,
        path: &Nibbles,
        effects: &mut Effects,
    ) -> Result<Option<Box<Node>>, TrieError<N::Error>> {
        let node = NodePath { owner: self.owner, path: *path };
        let malformed = || TrieError::Malformed { node: node.into() };
        let kind =
            |rlp: &[u8]| Shape::decode(rlp, path.len()).and_then(Shape::into_kind).ok_or_else(malformed);
        let (kind, by_hash) = match reference.as_embedded() {
            Some(rlp) => (kind(rlp)?, false),
            None => match read(self.source, node, reference.to_hash())? {
                Some(rlp) => (kind(&rlp)?, true),
                None => return Ok(None),
            },
        };
        // The root is stored however short it is.
        let stored = !matches!(kind, Kind::Leaf(_)) && (by_hash || path.is_empty());
        effects.added += 1;
        Ok(Some(Box::new(Node { changed: 0, used: self.epoch, stored, kind })))
    }

    pub(super) fn new_node(&self, kind: Kind, effects: &mut Effects) -> Box<Node> {
        effects.added += 1;
        Node::new(kind, self.epoch)
    }
}

impl Effects {
    /// Notes that there is no inner node any more at a place.
    pub(super) fn vanish(&mut self, node: &mut Node, path: &Nibbles) {
        if std::mem::take(&mut node.stored) {
            self.vanished.push(*path);
        }
    }

    pub(super) fn merge(&mut self, mut other: Self) {
        self.vanished.append(&mut other.vanished);
        self.added += other.added;
        self.dropped += other.dropped;
    }
}

/// Reads a node by its hash and checks it, unless the source does.
pub(super) fn read<N: NodeSource>(
    source: &N,
    node: NodePath,
    hash: B256,
) -> Result<Option<Bytes>, TrieError<N::Error>> {
    let rlp = source
        .node(node.owner, &node.path, hash)
        .map_err(|error| TrieError::Source { node: node.into(), error })?;
    match rlp {
        Some(rlp) if !N::VERIFIED => match keccak256(&rlp) {
            actual if actual == hash => Ok(Some(rlp)),
            actual => Err(TrieError::Mismatch { node: node.into(), expected: hash, actual }),
        },
        rlp => Ok(rlp),
    }
}

pub(super) fn missing<E>(owner: Option<B256>, path: &Nibbles, reference: &Reference) -> TrieError<E> {
    TrieError::Missing { node: NodePath { owner, path: *path }.into(), hash: reference.to_hash() }
}

/// `path` led on by one nibble.
pub(super) fn child_path(path: &Nibbles, nibble: u8) -> Nibbles {
    let mut path = *path;
    path.push(nibble);
    path
}

/// Whether work on so many leaves should be offered to other threads of the current pool.
pub(super) fn worth_splitting(leaves: usize) -> bool {
    leaves >= GRAIN && rayon::current_num_threads() > 1
}

/// The children of a root whose trie is large enough to walk it on several threads, by how many inner nodes are below it;
/// else the node itself.
pub(super) fn wide_root(node: &mut Node, depth: usize) -> Result<Vec<(Nibbles, &mut Link)>, &mut Node> {
    let is_inner = |link: &Link| link.node.as_ref().is_some_and(|node| !node.is_leaf());
    let wide = depth == 0
        && rayon::current_num_threads() > 1
        && node.children_mut().filter(|(_, child)| is_inner(child)).count() >= WIDE;
    if wide { Ok(node.children_mut().collect()) } else { Err(node) }
}
