use std::path::PathBuf;

#[derive(Debug, clap::Args)]
pub(crate) struct ExplainArgs {
    /// Block directories, or folders of them
    #[arg(required = true)]
    pub(crate) paths: Vec<PathBuf>,
    /// Leave out blocks with a lower number
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    pub(crate) from: u64,
    /// Worker threads of the actual run [default: one per available core]
    #[arg(long, value_name = "N")]
    pub(crate) threads: Option<usize>,
    /// Threads at which the cost of single locations is told
    #[arg(long, value_name = "N", default_value_t = 16)]
    pub(crate) ideal: usize,
    /// Execute every block this often on one thread; a step's time is the least of all
    #[arg(long, value_name = "N", default_value_t = 5)]
    pub(crate) repeat: usize,
    /// Steps beyond the first unfinished one that an ideal stream may work on
    #[arg(long, value_name = "STEPS", default_value_t = tandem_analysis::LOOK_AHEAD)]
    pub(crate) look_ahead: usize,
    /// Locations, and contracts, to name
    #[arg(long, value_name = "N", default_value_t = 12)]
    pub(crate) top: usize,
    /// Write everything as a page, with charts: one file that needs no network
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
    /// Write the actual run's timeline as a Chrome trace, for Perfetto
    #[arg(long, value_name = "FILE")]
    pub(crate) trace: Option<PathBuf>,
    /// Write transactions and conflicts, a row each, to transactions.parquet and conflicts.parquet in a folder
    #[arg(long, value_name = "DIR")]
    pub(crate) parquet: Option<PathBuf>,
    /// Print one JSON object per line
    #[arg(long)]
    pub(crate) json: bool,
}
