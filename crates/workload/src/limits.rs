/// The largest number of blocks in a chain.
pub const MAX_BLOCKS: usize = 10_000;

/// The largest number of transactions in a block. So many of any workload stay below the size of a block (EIP-7934).
pub const MAX_TRANSACTIONS: usize = 2_000;

/// The largest number of accounts that send transactions.
pub const MAX_ACCOUNTS: usize = 1_000_000;

/// The largest number of accounts that only receive.
pub const MAX_POPULATION: usize = 10_000_000;
