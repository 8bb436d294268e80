//! SplitMix64, so that a case can be run again by its seed.

use alloy_primitives::{B256, U256};

pub(crate) struct Rng(u64);

impl Rng {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `bound`.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    pub(crate) fn percent(&mut self, chance: usize) -> bool {
        self.below(100) < chance
    }

    pub(crate) fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }

    pub(crate) fn hash(&mut self) -> B256 {
        let mut hash = B256::ZERO;
        hash.0.chunks_exact_mut(8).for_each(|bytes| bytes.copy_from_slice(&self.next().to_be_bytes()));
        hash
    }

    /// A slot's value: often zero, often a byte.
    pub(crate) fn value(&mut self) -> U256 {
        match self.below(10) {
            0..3 => U256::ZERO,
            3..7 => U256::from(1 + self.below(200)),
            7..9 => U256::from(self.next()),
            _ => self.hash().into(),
        }
    }

    /// Keys of which many share long prefixes, so that extensions, embedded nodes and deep collapses occur.
    pub(crate) fn keys(&mut self, count: usize) -> Vec<B256> {
        let mut keys = vec![self.hash()];
        while keys.len() < count {
            let mut key = *self.pick(&keys);
            match self.below(4) {
                // Another key altogether.
                0 => key = self.hash(),
                // The same up to some nibble, and often after it.
                kind => {
                    let nibble = if self.percent(60) { 58 + self.below(6) } else { self.below(64) };
                    let shift = if nibble % 2 == 0 { 4 } else { 0 };
                    let byte = &mut key.0[nibble / 2];
                    *byte = (*byte & !(0xf << shift)) | ((self.below(16) as u8) << shift);
                    if kind == 1 {
                        let tail = self.hash();
                        key.0[nibble / 2 + 1..].copy_from_slice(&tail.0[nibble / 2 + 1..]);
                    }
                }
            }
            keys.push(key);
        }
        keys.sort_unstable();
        keys.dedup();
        keys
    }
}
