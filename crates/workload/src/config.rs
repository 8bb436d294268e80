use crate::WorkloadError;

/// The largest number of blocks in a chain.
pub const MAX_BLOCKS: usize = 10_000;

/// The largest number of transactions in a block: the gas limits of so many fit into a block in any order.
pub const MAX_TRANSACTIONS: usize = 500;

/// The largest number of accounts that send transactions.
pub const MAX_ACCOUNTS: usize = 100_000;

/// What chain to generate.
///
/// ```
/// let config = tandem_workload::ChainConfig::default().with_blocks(2).with_seed(7);
/// assert_eq!(tandem_workload::generate(&config)?.blocks.len(), 2);
/// # Ok::<(), tandem_workload::WorkloadError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChainConfig {
    /// Number of blocks, from 1 to [`MAX_BLOCKS`].
    pub blocks: usize,
    /// Number of transactions in each block, from 1 to [`MAX_TRANSACTIONS`].
    pub transactions: usize,
    /// Number of accounts that send transactions, from 1 to [`MAX_ACCOUNTS`].
    pub accounts: usize,
    /// What the keys, transactions and withdrawals are derived from.
    pub seed: u64,
}

impl Default for ChainConfig {
    /// 20 blocks of 200 transactions by 500 accounts, with seed 1.
    fn default() -> Self {
        Self { blocks: 20, transactions: 200, accounts: 500, seed: 1 }
    }
}

impl ChainConfig {
    /// Sets the number of blocks.
    #[must_use]
    pub const fn with_blocks(mut self, blocks: usize) -> Self {
        self.blocks = blocks;
        self
    }

    /// Sets the number of transactions in each block.
    #[must_use]
    pub const fn with_transactions(mut self, transactions: usize) -> Self {
        self.transactions = transactions;
        self
    }

    /// Sets the number of accounts that send transactions.
    #[must_use]
    pub const fn with_accounts(mut self, accounts: usize) -> Self {
        self.accounts = accounts;
        self
    }

    /// Sets the seed.
    #[must_use]
    pub const fn with_seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Checks every number against its range.
    ///
    /// # Errors
    ///
    /// [`WorkloadError::OutOfRange`] names the first number that is zero or too large.
    pub fn validate(&self) -> Result<(), WorkloadError> {
        for (field, value, max) in [
            ("blocks", self.blocks, MAX_BLOCKS),
            ("transactions", self.transactions, MAX_TRANSACTIONS),
            ("accounts", self.accounts, MAX_ACCOUNTS),
        ] {
            if value == 0 || value > max {
                return Err(WorkloadError::OutOfRange { field, value, max });
            }
        }
        Ok(())
    }
}
