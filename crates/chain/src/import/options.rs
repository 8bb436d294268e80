/// How to import, with the bounds on memory.
#[derive(Clone, Debug)]
pub struct ImportOptions {
    /// Worker threads for execution, recovery and hashing.
    pub threads: usize,
    /// Runs the stages one after the other on one thread, for comparison. `threads` and `prefetch` then mean nothing.
    pub serial: bool,
    /// Blocks that are read ahead of execution at most.
    pub ahead: usize,
    /// Bytes of RLP that these blocks have at most, unless it is one block; and those of a segment.
    pub ahead_bytes: usize,
    /// Threads that read ahead what blocks name; zero for none.
    pub prefetch: usize,
    /// Transactions after which the engine starts afresh with a new segment, its memory given back.
    pub segment: usize,
    /// Changed leaves after which blocks are committed.
    pub batch_leaves: usize,
    /// Blocks after which they are committed, however little they change.
    pub batch_blocks: usize,
    /// Bytes of accounts, slots and codes in the read cache.
    pub cache_bytes: usize,
    /// Trie nodes kept in memory; those not yet committed come on top.
    pub trie_nodes: usize,
}

impl Default for ImportOptions {
    fn default() -> Self {
        Self {
            threads: std::thread::available_parallelism().map_or(1, |n| n.get()),
            serial: false,
            ahead: 64,
            ahead_bytes: 64 << 20,
            prefetch: 2,
            segment: 20_000,
            batch_leaves: 150_000,
            batch_blocks: 512,
            cache_bytes: 256 << 20,
            trie_nodes: 1_500_000,
        }
    }
}

impl ImportOptions {
    /// Worker threads that these options amount to.
    pub(super) fn workers(&self) -> usize {
        if self.serial { 1 } else { self.threads }
    }
}
