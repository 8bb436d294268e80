use crate::contracts::{MAINNET_TOKENS, TOKENS};
use crate::error::WorkloadError;
use crate::limits::{MAX_ACCOUNTS, MAX_BLOCKS, MAX_POPULATION, MAX_TRANSACTIONS};
use crate::workload::Workload;

/// What chain to generate.
///
/// ```
/// use tandem_workload::{Chain, ChainConfig, Workload};
///
/// let config = ChainConfig::default().with_workload(Workload::Nft).with_transactions(3);
/// let Chain { mut proposer, .. } = Chain::new(&config)?;
/// assert_eq!(proposer.propose(1_000_000_000)?.transactions.len(), 3);
/// # Ok::<(), tandem_workload::WorkloadError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ChainConfig {
    /// What the transactions do.
    pub workload: Workload,
    /// Number of blocks, from 1 to [`MAX_BLOCKS`].
    pub blocks: usize,
    /// Number of transactions in each block, from 1 to [`MAX_TRANSACTIONS`].
    pub transactions: usize,
    /// Number of accounts that send transactions, from 1 to [`MAX_ACCOUNTS`].
    pub accounts: usize,
    /// Number of accounts that hold ether and tokens and only receive, up to [`MAX_POPULATION`]. Without any, senders
    /// pay each other.
    pub population: usize,
    /// Number of balances of tokens that these accounts hold, spread over all tokens; at most one of each token each.
    pub slots: usize,
    /// The share of transactions, from 0 to 1, at the workload's hot spot; `None` for the workload's own.
    pub hot: Option<f64>,
    /// The seed of keys, transactions and withdrawals.
    pub seed: u64,
}

impl Default for ChainConfig {
    /// 20 blocks of 200 mixed transactions by 500 accounts, 500 further accounts with two tokens each, seed 1.
    fn default() -> Self {
        Self {
            workload: Workload::default(),
            blocks: 20,
            transactions: 200,
            accounts: 500,
            population: 500,
            slots: 1_000,
            hot: None,
            seed: 1,
        }
    }
}

impl ChainConfig {
    /// Sets the kind of transactions.
    #[must_use]
    pub const fn with_workload(mut self, workload: Workload) -> Self {
        self.workload = workload;
        self
    }

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

    /// Sets the number of accounts that only receive.
    #[must_use]
    pub const fn with_population(mut self, population: usize) -> Self {
        self.population = population;
        self
    }

    /// Sets the number of balances of tokens that these accounts hold.
    #[must_use]
    pub const fn with_slots(mut self, slots: usize) -> Self {
        self.slots = slots;
        self
    }

    /// Sets the share of transactions at the workload's hot spot.
    #[must_use]
    pub const fn with_hot(mut self, hot: f64) -> Self {
        self.hot = Some(hot);
        self
    }

    /// Sets the seed.
    #[must_use]
    pub const fn with_seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Number of tokens of the chain.
    pub(crate) const fn tokens(&self) -> usize {
        match self.workload {
            // Two for each swap of a block.
            Workload::IndependentSwaps => self.transactions.saturating_mul(2),
            Workload::Mainnet => MAINNET_TOKENS,
            _ => TOKENS,
        }
    }

    /// Checks every number against its range.
    ///
    /// # Errors
    ///
    /// [`WorkloadError::OutOfRange`] names the first number that is too small or too large, [`WorkloadError::Hot`] a
    /// share that is none.
    pub fn validate(&self) -> Result<(), WorkloadError> {
        for (field, value, min, max) in [
            ("blocks", self.blocks, 1, MAX_BLOCKS),
            ("transactions", self.transactions, 1, MAX_TRANSACTIONS),
            ("accounts", self.accounts, 1, MAX_ACCOUNTS),
            ("population", self.population, 0, MAX_POPULATION),
            ("slots", self.slots, 0, self.tokens().saturating_mul(self.population)),
        ] {
            if value < min || value > max {
                return Err(WorkloadError::OutOfRange { field, value, min, max });
            }
        }
        match self.hot {
            Some(hot) if !(0.0..=1.0).contains(&hot) => Err(WorkloadError::Hot(hot)),
            _ => Ok(()),
        }
    }
}
