use crate::shared::chain_args::ChainArgs;
use std::path::PathBuf;

#[derive(Debug, clap::Args)]
pub(crate) struct GenerateArgs {
    #[command(flatten)]
    pub(crate) chain: ChainArgs,
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
