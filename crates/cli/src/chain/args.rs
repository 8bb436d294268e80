use alloy_primitives::{Address, B256, U256};
use clap::Subcommand;
use std::path::PathBuf;

/// Where the database is.
#[derive(Debug, clap::Args)]
pub(crate) struct DataArgs {
    /// The directory of the database
    #[arg(long, value_name = "DIR")]
    pub(crate) datadir: PathBuf,
    /// Memory for the database's pages, in MiB
    #[arg(long, value_name = "MIB", default_value_t = 256)]
    pub(crate) page_cache: usize,
    /// Print one JSON object per line
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ImportArgs {
    #[command(flatten)]
    pub(crate) data: DataArgs,
    /// The genesis, as geth writes it; needed for a new database, and to make forks known that were not when it was made
    #[arg(long, value_name = "FILE")]
    pub(crate) genesis: Option<PathBuf>,
    /// Files of blocks in RLP, one block after another; may be gzipped (.gz)
    pub(crate) files: Vec<PathBuf>,
    /// Worker threads [default: one per available core]
    #[arg(long, value_name = "N")]
    pub(crate) threads: Option<usize>,
    /// Run the stages one after the other on one thread, for comparison
    #[arg(long)]
    pub(crate) one_by_one: bool,
    /// Blocks to read ahead at most
    #[arg(long, value_name = "BLOCKS")]
    pub(crate) ahead: Option<usize>,
    /// Memory for blocks that are read ahead, by their length in the file, in MiB
    #[arg(long, value_name = "MIB")]
    pub(crate) ahead_memory: Option<usize>,
    /// Threads that read ahead what blocks name; 0 for none
    #[arg(long, value_name = "N")]
    pub(crate) prefetch: Option<usize>,
    /// Transactions after which the engine's memory is given back
    #[arg(long, value_name = "TXS")]
    pub(crate) segment: Option<usize>,
    /// Blocks in one commit at most
    #[arg(long, value_name = "BLOCKS")]
    pub(crate) batch: Option<usize>,
    /// Changed accounts and slots in one commit, about
    #[arg(long, value_name = "LEAVES")]
    pub(crate) batch_leaves: Option<usize>,
    /// Memory for accounts, slots and codes that were read, in MiB
    #[arg(long, value_name = "MIB")]
    pub(crate) cache: Option<usize>,
    /// Trie nodes in memory
    #[arg(long, value_name = "NODES")]
    pub(crate) trie_nodes: Option<usize>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct HeadArgs {
    #[command(flatten)]
    pub(crate) data: DataArgs,
}

#[derive(Debug, clap::Args)]
pub(crate) struct AccountArgs {
    #[command(flatten)]
    pub(crate) data: DataArgs,
    /// The account
    pub(crate) address: Address,
    /// A storage slot, decimal or 0x-hexadecimal
    #[arg(long)]
    pub(crate) slot: Option<U256>,
    /// After which block [default: the last one]
    #[arg(long, value_name = "N")]
    pub(crate) block: Option<u64>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ReceiptArgs {
    #[command(flatten)]
    pub(crate) data: DataArgs,
    /// The transaction's hash
    pub(crate) hash: B256,
}

#[derive(Debug, clap::Args)]
pub(crate) struct UnwindArgs {
    #[command(flatten)]
    pub(crate) data: DataArgs,
    /// The number of the block that is to be the last one
    #[arg(long, value_name = "N")]
    pub(crate) to: u64,
}

#[derive(Debug, Subcommand)]
pub(crate) enum DbCommand {
    /// Recompute the state root from scratch, and check all that the database holds
    Check(HeadArgs),
    /// Rows and bytes of each table
    Stats(HeadArgs),
}
