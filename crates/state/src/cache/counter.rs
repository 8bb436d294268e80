use std::sync::atomic::{AtomicU64, Ordering};

const STRIPES: usize = 32;

/// A count that many threads raise: they go by the key that they read, so that they seldom write the same cache line.
#[derive(Debug, Default)]
pub(super) struct Counter {
    /// Written by all readers and read for the sum, both relaxed: nothing depends on it.
    stripes: [Stripe; STRIPES],
}

/// Two cache lines, since processors fetch them in pairs.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Stripe(AtomicU64);

impl Counter {
    /// Adds one; `key` is any byte of the key that was read, best one that differs from key to key.
    pub(super) fn add(&self, key: u8) {
        self.stripes[usize::from(key) % STRIPES].0.fetch_add(1, Ordering::Relaxed);
    }

    /// The count, with or without the additions that other threads make meanwhile.
    pub(super) fn sum(&self) -> u64 {
        self.stripes.iter().map(|stripe| stripe.0.load(Ordering::Relaxed)).sum()
    }
}
