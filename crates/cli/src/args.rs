//! The arguments as typed.

use crate::bench::BenchArgs;
use crate::chain::{AccountArgs, DbCommand, HeadArgs, ImportArgs, ReceiptArgs, UnwindArgs};
use crate::conformance::{StateTestArgs, TestArgs};
use crate::explain::ExplainArgs;
use crate::generate::GenerateArgs;
use crate::run::RunArgs;
use crate::shape::ShapeArgs;
use crate::study::StudyArgs;
use crate::witness::WitnessArgs;
use clap::{Parser, Subcommand};

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
    Explain(ExplainArgs),
    /// Simulate the dispatchers of BSC's Parallel EVM 1.0 and 2.0 on blocks
    #[command(after_help = EXIT_CODES)]
    Study(StudyArgs),
    /// Generate a chain: its genesis, its blocks, and what `run` needs to execute each block alone
    #[command(after_help = EXIT_CODES)]
    Generate(GenerateArgs),
    /// Measure the shape of blocks, recorded and generated ones side by side
    #[command(after_help = EXIT_CODES)]
    Shape(ShapeArgs),
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
