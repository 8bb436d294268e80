use crate::shared::mode::Mode;
use clap::ValueEnum;
use std::path::PathBuf;

#[derive(Debug, clap::Args)]
pub(crate) struct RunArgs {
    /// Block directories, or folders of them; without any, a small generated chain runs
    pub(crate) paths: Vec<PathBuf>,
    /// Worker threads [default: one per available core]
    #[arg(long, value_name = "N")]
    pub(crate) threads: Option<usize>,
    /// How to execute
    #[arg(long, value_enum, default_value_t = Mode::Stream)]
    pub(crate) mode: Mode,
    /// Where a witness lacks what its root depends on, take it to be as recorders mostly leave it out, and call the root
    /// unproven instead of refusing the witness
    #[arg(long)]
    pub(crate) unproven: bool,
    /// What to check
    #[arg(long, value_enum, default_value_t = Check::All)]
    pub(crate) check: Check,
    /// Execute every block with alloy-evm's executor over revm's State, too, and compare receipts, gas, requests and the bundle with its
    /// reverts
    #[arg(long)]
    pub(crate) alloy: bool,
    /// When to recover the senders
    #[arg(long, value_enum, default_value_t = Senders::Before)]
    pub(crate) senders: Senders,
    /// Steps in flight at most
    #[arg(long, value_name = "STEPS")]
    pub(crate) window: Option<usize>,
    /// Execute everything this often; times are of the run with the median time, and all digests must agree
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) repeat: usize,
    /// Print one JSON object per line
    #[arg(long)]
    pub(crate) json: bool,
    /// Print the engine's counters
    #[arg(long)]
    pub(crate) counters: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Check {
    /// Senders, gas used, bloom, receipts root and requests hash; with a witness, the states before and after, too
    All,
    /// Nothing
    None,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Senders {
    /// Before execution, so that the times are of execution alone
    Before,
    /// While earlier blocks execute
    Ahead,
}
