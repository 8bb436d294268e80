use super::failure::Failure;
use tandem_workload::{ChainConfig, Workload};

/// What chain to generate.
#[derive(Debug, clap::Args)]
pub(crate) struct ChainArgs {
    /// What the transactions do: transfers, one-hot, zipf, token, swaps, independent-swaps, nft, airdrop, payroll, first-touch,
    /// mainnet or mixed [default: mixed; for `tandem shape` mainnet]
    #[arg(long, value_name = "NAME")]
    workload: Option<Workload>,
    /// Number of blocks
    #[arg(long, value_name = "N", default_value_t = 20)]
    blocks: usize,
    /// Transactions in each block [default: 200; for mainnet 84]
    #[arg(long, value_name = "M")]
    txs: Option<usize>,
    /// Accounts that send transactions
    #[arg(long, value_name = "K", default_value_t = 500)]
    accounts: usize,
    /// Accounts that hold ether and tokens and only receive [default: as many as send]
    #[arg(long, value_name = "P")]
    population: Option<usize>,
    /// Balances of tokens that these accounts hold, over all tokens [default: two each]
    #[arg(long, value_name = "S")]
    slots: Option<usize>,
    /// Share of the transactions, from 0 to 1, that meet at the workload's hot spot [default: the workload's own]
    #[arg(long, value_name = "RATIO")]
    hot: Option<f64>,
    /// What accounts and transactions are derived from: the same seed gives the same bytes
    #[arg(long, value_name = "SEED", default_value_t = 1)]
    seed: u64,
}

impl ChainArgs {
    /// The chain, of the given workload unless one was named.
    pub(crate) fn config(&self, workload: Workload) -> Result<ChainConfig, Failure> {
        let workload = self.workload.unwrap_or(workload);
        let population = self.population.unwrap_or(self.accounts);
        let chain = ChainConfig {
            workload,
            blocks: self.blocks,
            transactions: self.txs.unwrap_or(workload.transactions()),
            accounts: self.accounts,
            population,
            slots: self.slots.unwrap_or(population.saturating_mul(2)),
            hot: self.hot,
            seed: self.seed,
        };
        chain.validate().map_err(Failure::input)?;
        Ok(chain)
    }
}
