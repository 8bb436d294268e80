//! What was typed.

use crate::bench::BenchArgs;
use crate::chain::{AccountArgs, DbCommand, HeadArgs, ImportArgs, ReceiptArgs, UnwindArgs};
use crate::conformance::{StateTestArgs, TestArgs};
use clap::{Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Executes Ethereum blocks in parallel, with serial results.
#[derive(Debug, Parser)]
#[command(name = "tandem", version, about, after_help = EXIT_CODES)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXIT_CODES: &str = "\
Exit codes:
  0  all well
  1  a check failed, or a block is invalid
  2  bad usage, or input that cannot be read, is not supported or does not suffice
  3  internal fault";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Execute blocks and check the results against their headers
    #[command(after_help = EXIT_CODES)]
    Run(RunArgs),
    /// Say what limits the parallel execution of blocks: what depends on what, where, and what that costs
    #[command(after_help = EXIT_CODES)]
    Explain(crate::explain::ExplainArgs),
    /// Simulate the dispatchers of BSC's Parallel EVM 1.0 and 2.0 on blocks
    #[command(after_help = EXIT_CODES)]
    Study(crate::explain::StudyArgs),
    /// Generate a chain: its genesis, its blocks, and what `run` needs to execute each block alone
    #[command(after_help = EXIT_CODES)]
    Generate(crate::generate::GenerateArgs),
    /// Measure the shape of blocks, recorded and generated ones side by side
    #[command(after_help = EXIT_CODES)]
    Shape(crate::shape::ShapeArgs),
    /// Compare the engine with a plain revm loop, in interleaved samples
    #[command(after_help = EXIT_CODES)]
    Bench(BenchArgs),
    /// Run official state tests (GeneralStateTests)
    #[command(after_help = EXIT_CODES)]
    Statetest(StateTestArgs),
    /// Run official blockchain tests (BlockchainTests)
    #[command(after_help = EXIT_CODES)]
    Blockchaintest(TestArgs),
    /// Execute blocks on what their witnesses prove, and nothing else
    #[command(after_help = EXIT_CODES)]
    Witness(WitnessArgs),
    /// Import a chain from files of blocks into a database, checking everything but the proof-of-work seal
    #[command(after_help = EXIT_CODES)]
    Import(ImportArgs),
    /// Show the last block of a database
    Head(HeadArgs),
    /// Show an account, or one of its slots, after any block of a database
    Account(AccountArgs),
    /// Show the receipt of a transaction in a database
    Receipt(ReceiptArgs),
    /// Take back the last blocks of a database
    Unwind(UnwindArgs),
    /// Look after a database
    #[command(subcommand)]
    Db(DbCommand),
    /// Execute Filecoin's messages in parallel
    #[cfg(feature = "fevm")]
    #[command(subcommand, after_help = EXIT_CODES)]
    Fevm(crate::fevm::FevmCommand),
}

#[derive(Debug, clap::Args)]
pub(crate) struct WitnessArgs {
    /// Block directories that have a witness, or folders of them
    #[arg(required = true)]
    pub(crate) paths: Vec<PathBuf>,
    /// Worker threads [default: one per available core]
    #[arg(long, value_name = "N")]
    pub(crate) threads: Option<usize>,
    /// Print one JSON object per line
    #[arg(long)]
    pub(crate) json: bool,
}

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
pub(crate) enum Mode {
    /// All blocks as one stream: no barrier between them
    Stream,
    /// One block at a time
    Block,
    /// The same engine with one worker, whatever --threads says
    Serial,
    /// A plain revm loop, for comparison
    Revm,
}

impl Mode {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Stream => "stream",
            Self::Block => "block",
            Self::Serial => "serial",
            Self::Revm => "revm",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Check {
    /// Senders, gas used, bloom, receipts root and requests hash
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
