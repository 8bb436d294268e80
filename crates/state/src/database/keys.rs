//! Keys of trie nodes, and the leaves below a path.

use alloy_primitives::B256;
use alloy_trie::Nibbles;

/// The key of an inner node of the trie of accounts.
pub(super) fn account_node(path: &Nibbles) -> Vec<u8> {
    path.to_vec()
}

/// The key of an inner node of a storage trie.
pub(super) fn storage_node(owner: B256, path: &Nibbles) -> Vec<u8> {
    let mut key = Vec::with_capacity(32 + path.len());
    key.extend_from_slice(owner.as_slice());
    key.extend(path.iter());
    key
}

/// The path in the key of an inner node, or `None` if these are no nibbles.
pub(super) fn path(key: &[u8]) -> Option<Nibbles> {
    (key.len() <= 64 && key.iter().all(|nibble| *nibble < 16)).then(|| Nibbles::from_nibbles(key))
}

/// The key of a slot's row.
pub(super) fn slot(owner: B256, slot: B256) -> [u8; 64] {
    let mut key = [0; 64];
    key[..32].copy_from_slice(owner.as_slice());
    key[32..].copy_from_slice(slot.as_slice());
    key
}

/// The owner and the slot in the key of a slot's row.
pub(super) fn split_slot(key: &[u8; 64]) -> (B256, B256) {
    (B256::from_slice(&key[..32]), B256::from_slice(&key[32..]))
}

/// First and last key of a slot of `owner`.
pub(super) fn slots_of(owner: B256) -> ([u8; 64], [u8; 64]) {
    (slot(owner, B256::ZERO), slot(owner, B256::repeat_byte(0xff)))
}

/// First and last key that an inner node of `owner`'s storage trie can have.
pub(super) fn storage_nodes_of(owner: B256) -> (Vec<u8>, Vec<u8>) {
    (owner.to_vec(), [owner.as_slice(), &[0xff]].concat())
}

/// The first and last hash that start with `path`.
pub(super) fn leaves_below(path: &Nibbles) -> (B256, B256) {
    let packed = path.pack();
    let (mut first, mut last) = (B256::ZERO, B256::repeat_byte(0xff));
    first[..packed.len()].copy_from_slice(&packed);
    last[..packed.len()].copy_from_slice(&packed);
    if path.len() % 2 == 1 {
        last[packed.len() - 1] |= 0x0f;
    }
    (first, last)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::b256;

    #[test]
    fn leaves_below_a_path_are_those_that_start_with_it() {
        assert_eq!(leaves_below(&Nibbles::new()), (B256::ZERO, B256::repeat_byte(0xff)));
        let (first, last) = leaves_below(&Nibbles::from_nibbles([0xa, 0xb, 0xc]));
        assert_eq!(first, b256!("abc0000000000000000000000000000000000000000000000000000000000000"));
        assert_eq!(last, b256!("abcfffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"));
        let whole = Nibbles::unpack(first);
        assert_eq!(leaves_below(&whole), (first, first));
    }

    #[test]
    fn nodes_sort_as_a_walk_from_the_root_meets_them() {
        let paths = [&[][..], &[0], &[0, 15], &[1], &[1, 0, 3], &[15]].map(Nibbles::from_nibbles);
        let keys = paths.map(|path| storage_node(B256::repeat_byte(7), &path));
        assert!(keys.is_sorted());
        let (first, last) = storage_nodes_of(B256::repeat_byte(7));
        assert!(keys.iter().all(|key| first <= *key && *key <= last));
        assert!(last < storage_node(B256::repeat_byte(8), &Nibbles::new()));
        for (key, expected) in keys.iter().zip(paths) {
            assert_eq!(path(&key[32..]), Some(expected));
        }
        assert_eq!(path(&[16]), None);
    }

    #[test]
    fn the_key_of_a_slot_splits_into_its_parts() {
        let (owner, hash) = (B256::repeat_byte(1), B256::repeat_byte(2));
        assert_eq!(split_slot(&slot(owner, hash)), (owner, hash));
    }
}
