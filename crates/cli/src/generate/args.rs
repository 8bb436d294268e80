use std::path::PathBuf;
use tandem_workload::Workload;

#[derive(Debug, clap::Args)]
pub(crate) struct GenerateArgs {
    /// What the transactions do: transfers, one-hot, zipf, token, swaps, nft, airdrop, payroll or mixed
    #[arg(long, value_name = "NAME", default_value_t)]
    pub(crate) workload: Workload,
    /// Number of blocks
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub(crate) blocks: usize,
    /// Transactions in each block
    #[arg(long, value_name = "M", default_value_t = 200)]
    pub(crate) txs: usize,
    /// Accounts that send transactions
    #[arg(long, value_name = "K", default_value_t = 500)]
    pub(crate) accounts: usize,
    /// Accounts that hold ether and tokens and only receive [default: as many as send]
    #[arg(long, value_name = "P")]
    pub(crate) population: Option<usize>,
    /// Balances of tokens that these accounts hold, over all of 8 tokens [default: two each]
    #[arg(long, value_name = "S")]
    pub(crate) slots: Option<usize>,
    /// Share of the transactions, from 0 to 1, that meet at the workload's hot spot [default: the workload's own]
    #[arg(long, value_name = "RATIO")]
    pub(crate) hot: Option<f64>,
    /// What accounts and transactions are derived from: the same seed gives the same bytes
    #[arg(long, value_name = "SEED", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Where to write genesis.json and chain.rlp: a folder that is empty or does not exist
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// Write each block with the state it needs, too, for `tandem run DIR`
    #[arg(long)]
    pub(crate) fixtures: bool,
    /// Worker threads [default: one per available core]
    #[arg(long, value_name = "N")]
    pub(crate) threads: Option<usize>,
    /// Print one JSON object per line
    #[arg(long)]
    pub(crate) json: bool,
}
