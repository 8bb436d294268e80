/// How much a [`ReadCache`](super::ReadCache) holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CacheLimits {
    /// Accounts, absent ones included.
    pub accounts: usize,
    /// Slots, zero ones included.
    pub slots: usize,
    /// Bytes of codes.
    pub code_bytes: u64,
}

impl CacheLimits {
    /// About this many bytes in all: a quarter for accounts, half for slots, a quarter for codes.
    pub fn from_bytes(bytes: usize) -> Self {
        Self { accounts: bytes / 4 / ACCOUNT, slots: bytes / 2 / SLOT, code_bytes: (bytes / 4) as u64 }
    }
}

impl Default for CacheLimits {
    /// 256 MiB.
    fn default() -> Self {
        Self::from_bytes(256 << 20)
    }
}

/// Bytes that a cached account takes: key, value and the cache's own bookkeeping, with room for evicted keys.
const ACCOUNT: usize = 220;
/// Bytes that a cached slot takes.
const SLOT: usize = 200;
