use crate::shared::failure::Failure;
use std::path::PathBuf;
use std::str::FromStr;
use tandem_workload::{ChainConfig, Workload};

#[derive(Debug, clap::Args)]
pub(crate) struct BenchArgs {
    /// Block directories, or folders of them; without any, generated workloads run
    pub(crate) paths: Vec<PathBuf>,
    /// Generated workloads to run, each with the share of its transactions at the hot spot if that is not its own
    #[arg(long = "workload", value_name = "NAME[=HOT]", value_delimiter = ',', conflicts_with = "paths")]
    pub(crate) workloads: Vec<Case>,
    /// Blocks of each workload
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub(crate) blocks: usize,
    /// Transactions in each of these blocks
    #[arg(long, value_name = "M", default_value_t = 1_000)]
    pub(crate) txs: usize,
    /// Accounts that send them
    #[arg(long, value_name = "K", default_value_t = 10_000)]
    pub(crate) accounts: usize,
    /// Numbers of worker threads [default: one and one per available core]
    #[arg(long, value_name = "N", value_delimiter = ',')]
    pub(crate) threads: Vec<usize>,
    /// How often everything runs; what is printed are medians
    #[arg(long, value_name = "N", default_value_t = 11)]
    pub(crate) samples: usize,
    /// How long each read of the base state takes at least, in microseconds
    #[arg(long, value_name = "US", default_value_t = 0)]
    pub(crate) read_latency: u64,
    /// Leave out recorded blocks with a lower number
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    pub(crate) from: u64,
    /// Say what each way to execute did besides taking time, and what would stop it from scaling
    #[arg(long, conflicts_with_all = ["compare", "long"])]
    pub(crate) counters: bool,
    /// Say what each stage of a step costs, how often threads got in each other's way, and how far that would let more threads scale
    #[arg(long, conflicts_with_all = ["compare", "long", "cold"])]
    pub(crate) stages: bool,
    /// Run each workload once as one stream, too long to be kept: blocks are generated in pieces, while the clock stands still;
    /// a row for each tenth of the transactions, with the memory held after it
    #[arg(long, conflicts_with_all = ["paths", "compare", "samples", "read_latency"])]
    pub(crate) long: bool,
    /// Execute each block by a call of its own, with other engines' calls in between and caches evicted before each; also says the
    /// processor time and the worst block
    #[arg(long, conflicts_with_all = ["compare", "counters", "long", "read_latency"])]
    pub(crate) cold: bool,
    /// Memory that is walked through to evict caches, in mebibytes
    #[arg(long, value_name = "MIB", default_value_t = 64, requires = "cold")]
    pub(crate) evict: u16,
    /// Compare two results saved with --json instead of running anything
    #[arg(long, num_args = 2, value_names = ["BEFORE", "AFTER"], conflicts_with_all = ["paths", "workloads"])]
    pub(crate) compare: Option<Vec<PathBuf>>,
    /// Print one JSON object per line
    #[arg(long)]
    pub(crate) json: bool,
}

/// A generated workload, and how hot its hot spot is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Case {
    pub(crate) workload: Workload,
    pub(crate) hot: Option<f64>,
}

impl Case {
    pub(crate) fn name(&self) -> String {
        match self.hot {
            Some(hot) => format!("{}={hot}", self.workload),
            None => self.workload.to_string(),
        }
    }
}

impl Case {
    /// The chain to generate, of the size that `chain` has.
    pub(crate) fn config(&self, chain: &ChainConfig) -> Result<ChainConfig, Failure> {
        let config = ChainConfig { workload: self.workload, hot: self.hot, ..*chain };
        config.validate().map_err(Failure::input)?;
        Ok(config)
    }
}

impl FromStr for Case {
    type Err = String;

    fn from_str(typed: &str) -> Result<Self, String> {
        let (name, hot) = match typed.split_once('=') {
            Some((name, hot)) => (name, Some(hot)),
            None => (typed, None),
        };
        let hot =
            hot.map(|hot| hot.parse().map_err(|_| format!("{hot:?} is no share from 0 to 1"))).transpose()?;
        let workload = name.parse().map_err(|error| format!("{error}"))?;
        Ok(Self { workload, hot })
    }
}
