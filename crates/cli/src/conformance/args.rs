use std::num::NonZeroUsize;
use std::path::PathBuf;

/// The flags of `revme statetest`, as far as they have a meaning here, and the engine's threads.
#[derive(Debug, clap::Args)]
pub(crate) struct TestArgs {
    /// JSON files, or folders that are searched for them
    #[arg(required = true)]
    pub(crate) paths: Vec<PathBuf>,
    /// Print one JSON object per test, and one of counts, and nothing else
    #[arg(long)]
    pub(crate) json: bool,
    /// Print one JSON object per test, with the fields of `revme statetest --json-outcome`
    #[arg(long, conflicts_with = "json")]
    pub(crate) json_outcome: bool,
    /// Go on after a failure
    #[arg(short, long, alias = "no-fail-fast")]
    pub(crate) keep_going: bool,
    /// Run one file at a time, each on an engine with one thread unless --threads says otherwise
    #[arg(short, long)]
    pub(crate) single_thread: bool,
    /// Do not show progress
    #[arg(short, long)]
    pub(crate) omit_progress: bool,
    /// Worker threads of each engine; as many engines run side by side as there are cores. With several numbers (1,4) every
    /// block is executed with each of them, and all must give the same [default: 2; 4 for packs]
    #[arg(long, value_name = "N", value_delimiter = ',')]
    pub(crate) threads: Vec<usize>,
    /// Let the parallel engine's reads of the state take as long as from a disk: more is executed ahead of its turn, so
    /// that there are more conflicts
    #[arg(long)]
    pub(crate) slow_reads: bool,
    /// Execute every block with alloy-evm's executor over revm's State, too, and compare receipts, gas, requests and the bundle with its
    /// reverts
    #[arg(long)]
    pub(crate) alloy: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct StateTestArgs {
    #[command(flatten)]
    pub(crate) tests: TestArgs,
    /// Put up to N transactions of different tests into one block, executed in parallel and by a plain revm loop, and
    /// compare the two instead of what the tests expect
    #[arg(long, value_name = "N")]
    pub(crate) pack: Option<NonZeroUsize>,
    /// Like --pack (of 1 unless given), with every transaction N times in its block, one after the other
    #[arg(long, value_name = "N")]
    pub(crate) repeat: Option<NonZeroUsize>,
}
