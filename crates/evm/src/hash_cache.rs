//! KECCAK256 of two words, remembered.
//!
//! Solidity finds the slot of a mapping's element by hashing the key together with the mapping's number, each time anew: a
//! token transfer hashes each of its two balances twice, and the next one with the same pool does so again. Real blocks
//! spend about an eighth of their time there.

use alloy_primitives::{B256, keccak256 as keccak};

/// Bits of a place: 8,192 hashes take 768 KiB, of which nothing is touched but where a tag says that a hash may be there. The tags take
/// 32 KiB, as much as caches next to the core hold.
const PLACE_BITS: u32 = 13;

/// Two words.
pub(crate) type Pair = [u8; 64];

/// The last hashes of two words that a worker has computed. Each pair has one place, which the next pair that belongs there
/// takes. Takes no memory before the first.
#[derive(Debug, Default)]
pub(crate) struct Hashes {
    /// For each place a number that pairs have in common with few others.
    tags: Box<[u32]>,
    hashes: Box<[(Pair, B256)]>,
}

/// Where a pair belongs, and its tag. Keys differ in the last bytes of either word, mostly: addresses, small numbers, hashes.
fn place(pair: &Pair) -> (usize, u32) {
    let word = |at: usize| u64::from_be_bytes(std::array::from_fn(|byte| pair[at + byte]));
    let mixed = (word(24) ^ word(56).rotate_left(32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    ((mixed >> (u64::BITS - PLACE_BITS)) as usize, (mixed >> 8) as u32)
}

impl Hashes {
    /// Every place with the hash of zeros.
    fn of_zeros() -> Self {
        let zeros = ([0; 64], keccak([0; 64]));
        Self { tags: vec![0; 1 << PLACE_BITS].into(), hashes: vec![zeros; 1 << PLACE_BITS].into() }
    }

    /// Memory, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.tags.len() * (size_of::<u32>() + size_of::<(Pair, B256)>())
    }

    pub(crate) fn hash(&mut self, pair: &Pair) -> B256 {
        if self.tags.is_empty() {
            *self = Self::of_zeros();
        }
        let (place, tag) = place(pair);
        if self.tags[place] == tag {
            let (known, hash) = &self.hashes[place];
            if known == pair {
                return *hash;
            }
        }
        let hash = keccak(pair);
        self.tags[place] = tag;
        self.hashes[place] = (*pair, hash);
        hash
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_remembered_hash_is_the_hash() {
        let mut hashes = Hashes::default();
        // More than there are places for, twice, and such as share a place.
        for round in 0..2 {
            for number in 0..2_000_u64 {
                let mut pair = [0; 64];
                pair[24..32].copy_from_slice(&number.to_be_bytes());
                pair[63] = (number % 3) as u8;
                pair[usize::from(pair[63])] = round;
                assert_eq!(hashes.hash(&pair), keccak(pair));
                assert_eq!(hashes.hash(&pair), keccak(pair));
            }
        }
    }
}
