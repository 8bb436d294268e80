//! Keys of any length, some of them prefixes of others, against a trie built by the definition.
#![allow(clippy::unwrap_used)]

use crate::trie_support::rng::Rng;
use alloy_primitives::{B256, Bytes, keccak256, map::HashMap};
use alloy_rlp::{Encodable, Header};
use alloy_trie::{EMPTY_ROOT_HASH, Nibbles, nodes::encode_path_leaf};
use std::collections::BTreeMap;
use std::convert::Infallible;
use tandem_state::trie::{NodeSource, SparseTrie};

type Entries<'a> = [(Nibbles, &'a [u8])];

/// The RLP of the node under which sorted entries hang that share `depth` nibbles; all nodes go to `nodes` (yellow paper,
/// appendix D).
fn build(entries: &Entries<'_>, depth: usize, nodes: &mut HashMap<B256, Bytes>) -> Vec<u8> {
    let (first, last) = (&entries[0], &entries[entries.len() - 1]);
    let shared = first.0.common_prefix_length(&last.0);
    let mut payload = Vec::new();
    if entries.len() == 1 {
        encode_path_leaf(&first.0.slice(depth..), true).as_slice().encode(&mut payload);
        first.1.encode(&mut payload);
    } else if shared > depth {
        encode_path_leaf(&first.0.slice(depth..shared), false).as_slice().encode(&mut payload);
        refer(build(entries, shared, nodes), &mut payload);
    } else {
        let (value, rest) =
            if first.0.len() == depth { (first.1, &entries[1..]) } else { (&[][..], entries) };
        for nibble in 0..16 {
            let below: Vec<_> =
                rest.iter().filter(|(key, _)| key.get(depth) == Some(nibble)).copied().collect();
            if below.is_empty() {
                payload.push(0x80);
            } else {
                refer(build(&below, depth + 1, nodes), &mut payload);
            }
        }
        value.encode(&mut payload);
    }
    let mut rlp = Vec::new();
    Header { list: true, payload_length: payload.len() }.encode(&mut rlp);
    rlp.extend(payload);
    nodes.insert(keccak256(&rlp), rlp.clone().into());
    rlp
}

fn refer(rlp: Vec<u8>, out: &mut Vec<u8>) {
    if rlp.len() < 32 { out.extend(rlp) } else { keccak256(rlp).encode(out) }
}

#[derive(Default)]
struct Nodes(HashMap<B256, Bytes>);

impl NodeSource for Nodes {
    type Error = Infallible;

    fn node(&self, _: Option<B256>, _: &Nibbles, hash: B256) -> Result<Option<Bytes>, Infallible> {
        Ok(self.0.get(&hash).cloned())
    }
}

#[test]
fn keys_may_be_prefixes_of_others() {
    for seed in 0..1_000 {
        let rng = &mut Rng::new(seed);
        let mut trie = SparseTrie::new(None, EMPTY_ROOT_HASH);
        let mut expected: BTreeMap<Nibbles, Vec<u8>> = BTreeMap::new();
        let mut source = Nodes::default();
        // The contents of a database by path.
        let mut stored: BTreeMap<Nibbles, Bytes> = BTreeMap::new();
        for epoch in 1..8 {
            let updates: Vec<_> = (0..1 + rng.below(12)).map(|_| (key(rng), value(rng))).collect();
            for (key, value) in &updates {
                match value {
                    Some(value) => expected.insert(*key, value.clone()),
                    None => expected.remove(key),
                };
            }
            trie.update(updates, &source, epoch).unwrap();

            let entries: Vec<_> = expected.iter().map(|(key, value)| (*key, value.as_slice())).collect();
            let root = match entries.as_slice() {
                [] => EMPTY_ROOT_HASH,
                entries => keccak256(build(entries, 0, &mut source.0)),
            };
            assert_eq!(trie.root(), root, "case {seed}, epoch {epoch}");
            for (path, node) in trie.take_nodes(epoch).nodes {
                match node {
                    Some(node) => stored.insert(path, node),
                    None => Some(stored.remove(&path).expect("a node vanishes once")),
                };
            }
            assert_eq!(stored, inner(&entries), "case {seed}, epoch {epoch}");
            match rng.below(4) {
                0 => trie.forget(epoch, u32::MAX),
                1 => trie.forget(epoch, epoch - 1),
                2 => trie.forget(epoch - 1, u32::MAX),
                _ => {}
            }
            let key = key(rng);
            assert_eq!(trie.get(&key, &source).unwrap().as_ref(), expected.get(&key), "case {seed}");
        }
        trie.forget(7, u32::MAX);
        assert_eq!(trie.resident_nodes(), 0, "case {seed}");
    }
}

#[test]
fn a_root_shorter_than_a_hash_is_stored_and_vanishes_like_any_other() {
    let [one, two] = [1, 2].map(|nibble| Nibbles::from_nibbles([nibble]));
    let mut trie = SparseTrie::new(None, EMPTY_ROOT_HASH);
    trie.update([(one, Some([1])), (two, Some([2]))], &Nodes::default(), 1).unwrap();
    let root = trie.take_nodes(1).nodes;
    assert!(matches!(root.as_slice(), [(path, Some(rlp))] if path.is_empty() && rlp.len() < 32));
    trie.forget(1, u32::MAX);
    assert_eq!(trie.resident_nodes(), 0);
    trie.update([(one, None::<[u8; 1]>)], &Nodes::default(), 2).unwrap();
    assert_eq!(trie.take_nodes(2).nodes, [(Nibbles::new(), None)]);
}

/// The inner nodes that are referred to by hash, and the root.
fn inner(entries: &Entries<'_>) -> BTreeMap<Nibbles, Bytes> {
    let mut inner = BTreeMap::new();
    let paths = entries.iter().flat_map(|(key, _)| (0..=key.len()).map(|len| key.slice(..len)));
    for path in paths {
        let below: Vec<_> = entries.iter().filter(|(key, _)| key.starts_with(&path)).copied().collect();
        // A node is where the keys below part, and an extension where one ends that leads there.
        let shared = below[0].0.common_prefix_length(&below[below.len() - 1].0);
        let parent = path.len().checked_sub(1).map(|len| {
            let parent = path.slice(..len);
            let siblings: Vec<_> = entries.iter().filter(|(key, _)| key.starts_with(&parent)).collect();
            siblings[0].0.common_prefix_length(&siblings[siblings.len() - 1].0) == len
        });
        let is_node = shared == path.len() || parent.unwrap_or(true);
        if below.len() > 1 && is_node {
            let rlp = build(&below, path.len(), &mut HashMap::default());
            if rlp.len() >= 32 || path.is_empty() {
                inner.insert(path, rlp.into());
            }
        }
    }
    inner
}

fn key(rng: &mut Rng) -> Nibbles {
    let nibbles: Vec<_> =
        (0..rng.below(7)).map(|_| if rng.percent(70) { 3 } else { rng.below(16) as u8 }).collect();
    Nibbles::from_nibbles(nibbles)
}

fn value(rng: &mut Rng) -> Option<Vec<u8>> {
    match rng.below(10) {
        0..4 => None,
        4..8 => Some(vec![1 + rng.below(255) as u8]),
        _ => Some((0..=rng.below(80)).map(|_| rng.next() as u8).collect()),
    }
}
