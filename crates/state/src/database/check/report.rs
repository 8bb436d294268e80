use alloy_primitives::B256;

/// The contents of a database without a fault.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CheckReport {
    /// The root of the state, as recomputed.
    pub state_root: B256,
    /// Accounts.
    pub accounts: u64,
    /// Slots of all accounts.
    pub slots: u64,
    /// Codes.
    pub codes: u64,
    /// Inner nodes of the trie of accounts.
    pub account_nodes: u64,
    /// Inner nodes of all storage tries.
    pub storage_nodes: u64,
    /// Blocks, the genesis included.
    pub blocks: u64,
    /// Transactions of all blocks.
    pub transactions: u64,
}
