use crate::shared::chain_args::ChainArgs;
use std::path::PathBuf;

#[derive(Debug, clap::Args)]
pub(crate) struct ShapeArgs {
    /// Block directories, or folders of them; without any, only a generated chain is measured
    pub(crate) paths: Vec<PathBuf>,
    /// Leave out blocks of BLOCKS with a lower number
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    pub(crate) from: u64,
    /// Measure BLOCKS alone, and generate nothing
    #[arg(long, requires = "paths", conflicts_with = "tolerance")]
    pub(crate) alone: bool,
    #[command(flatten)]
    pub(crate) chain: ChainArgs,
    /// Fail if the median of any feature differs by more per cent than this from that of BLOCKS
    #[arg(long, value_name = "PERCENT", requires = "paths")]
    pub(crate) tolerance: Option<f64>,
    /// Print one JSON object per line
    #[arg(long)]
    pub(crate) json: bool,
}
