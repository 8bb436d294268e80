use alloy_primitives::{B256, keccak256};
use alloy_rlp::EMPTY_STRING_CODE;
use std::fmt;

/// Bytes in a hash; a node with a shorter RLP stands in its parent itself.
const HASH: usize = 32;

/// How a parent refers to a node: by its hash, or by its RLP if that is shorter than a hash.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reference {
    len: u8,
    bytes: [u8; HASH],
}

impl Reference {
    pub(super) const fn hash(hash: B256) -> Self {
        Self { len: HASH as u8, bytes: hash.0 }
    }

    /// The reference to the node with this RLP.
    pub(super) fn to(rlp: &[u8]) -> Self {
        Self::embedded(rlp).unwrap_or_else(|| Self::hash(keccak256(rlp)))
    }

    /// The reference that is a node itself, or `None` if it is too long for that.
    pub(super) fn embedded(rlp: &[u8]) -> Option<Self> {
        let mut bytes = [0; HASH];
        let len = rlp.len();
        (len < HASH).then(|| {
            bytes[..len].copy_from_slice(rlp);
            Self { len: len as u8, bytes }
        })
    }

    pub(super) fn is_hash(&self) -> bool {
        usize::from(self.len) == HASH
    }

    /// The node's RLP, if it is embedded.
    pub(super) fn as_embedded(&self) -> Option<&[u8]> {
        (!self.is_hash()).then(|| &self.bytes[..usize::from(self.len)])
    }

    /// The hash of the node, embedded or not. It identifies a root.
    pub(super) fn to_hash(self) -> B256 {
        match self.as_embedded() {
            Some(rlp) => keccak256(rlp),
            None => B256::new(self.bytes),
        }
    }

    /// Length as an item of the parent's list.
    pub(super) fn encoded_len(&self) -> usize {
        if self.is_hash() { 1 + HASH } else { usize::from(self.len) }
    }

    /// Appends the item of the parent's list.
    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        match self.as_embedded() {
            Some(rlp) => out.extend_from_slice(rlp),
            None => {
                out.push(EMPTY_STRING_CODE + HASH as u8);
                out.extend_from_slice(&self.bytes);
            }
        }
    }
}

impl fmt::Debug for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", alloy_primitives::hex::encode_prefixed(&self.bytes[..usize::from(self.len)]))
    }
}
