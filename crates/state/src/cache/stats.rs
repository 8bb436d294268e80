/// Hits and misses of a [`ReadCache`](super::ReadCache) since it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct CacheStats {
    /// Reads of accounts.
    pub accounts: HitCount,
    /// Reads of slots.
    pub slots: HitCount,
    /// Reads of codes.
    pub codes: HitCount,
}

/// How often a cache had the answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct HitCount {
    /// Reads answered from the cache.
    pub hits: u64,
    /// Reads that went to the store.
    pub misses: u64,
}
