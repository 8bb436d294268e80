//! The RLP of nodes, as the yellow paper's appendix D has it.

use super::node::{Branch, Extension, Kind, Leaf};
use alloy_rlp::{EMPTY_STRING_CODE, Encodable, Header};
use alloy_trie::{Nibbles, nodes::encode_path_leaf};

/// Replaces what is in `out` by the RLP of a node. The references of its children have to be up to date.
pub(super) fn encode(kind: &Kind, out: &mut Vec<u8>) {
    out.clear();
    match kind {
        Kind::Leaf(leaf) => encode_leaf(leaf, out),
        Kind::Extension(extension) => encode_extension(extension, out),
        Kind::Branch(branch) => encode_branch(branch, out),
    }
}

fn encode_leaf(leaf: &Leaf, out: &mut Vec<u8>) {
    encode_leaf_parts(&leaf.path, leaf.value.as_slice(), out);
}

/// Appends the RLP of a leaf.
pub(in crate::trie) fn encode_leaf_parts(path: &Nibbles, value: &[u8], out: &mut Vec<u8>) {
    let path = encode_path_leaf(path, true);
    let payload_length = path.as_slice().length() + value.length();
    Header { list: true, payload_length }.encode(out);
    path.as_slice().encode(out);
    value.encode(out);
}

fn encode_extension(extension: &Extension, out: &mut Vec<u8>) {
    let path = encode_path_leaf(&extension.path, false);
    let reference = &extension.child.reference;
    Header { list: true, payload_length: path.as_slice().length() + reference.encoded_len() }.encode(out);
    path.as_slice().encode(out);
    reference.encode(out);
}

fn encode_branch(branch: &Branch, out: &mut Vec<u8>) {
    let value = branch.value.as_ref().map_or(&[][..], |value| value.as_slice());
    let children: usize = branch.children().map(|(_, link)| link.reference.encoded_len()).sum();
    let payload_length = children + (16 - branch.len()) + value.length();
    Header { list: true, payload_length }.encode(out);
    let mut next = 0;
    for (nibble, link) in branch.children() {
        out.extend(std::iter::repeat_n(EMPTY_STRING_CODE, usize::from(nibble - next)));
        link.reference.encode(out);
        next = nibble + 1;
    }
    out.extend(std::iter::repeat_n(EMPTY_STRING_CODE, usize::from(16 - next)));
    value.encode(out);
}
