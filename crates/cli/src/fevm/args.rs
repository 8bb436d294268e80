use super::workers::Workers;
use clap::{Subcommand, ValueEnum};
use std::path::PathBuf;
use tandem_fevm::workload::Workload;

#[derive(Debug, Subcommand)]
pub(crate) enum FevmCommand {
    /// Execute the messages of a tipset on a state
    Run(RunArgs),
    /// Compare parallel execution with `fvm`'s own on generated tipsets, in interleaved samples
    Bench(BenchArgs),
    /// Write a generated tipset as files for `run`: bundle.car, state.car and messages.jsonl
    Generate(GenerateArgs),
    /// Measure what executing side by side costs: unrelated tipsets on threads that share engines, on threads that do not, and in
    /// processes
    Copies(CopiesArgs),
    /// Be a worker process of `run` or `bench`, which start it themselves
    #[command(hide = true)]
    Worker(WorkerArgs),
}

#[derive(Debug, clap::Args)]
pub(crate) struct RunArgs {
    /// Built-in actors: a CAR archive whose root is their manifest
    #[arg(long, value_name = "CAR")]
    pub(super) bundle: PathBuf,
    /// The state before the messages: a CAR archive whose root is the state's
    #[arg(long, value_name = "CAR")]
    pub(super) state: PathBuf,
    /// The messages: one JSON object per line
    #[arg(long, value_name = "FILE")]
    pub(super) messages: PathBuf,
    /// Workers, threads and processes together [default: one per available core]
    #[arg(long, value_name = "N")]
    pub(super) threads: Option<usize>,
    #[command(flatten)]
    pub(super) workers: Workers,
    /// Take it that the bundle's actor `evm` is the official one, so that changes of one contract's slots can be merged
    #[arg(long)]
    pub(super) trust_evm: bool,
    /// Execute on the unmodified reference too, and compare everything
    #[arg(long)]
    pub(super) verify: bool,
    /// Print one JSON object per line
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct BenchArgs {
    /// Kinds of tipsets [default: all]
    #[arg(long = "workload", value_name = "NAME", value_delimiter = ',')]
    pub(super) workloads: Vec<Kind>,
    /// Messages of each tipset
    #[arg(long, value_name = "N", default_value_t = 500)]
    pub(super) messages: usize,
    /// Workers, threads and processes together
    #[arg(long, value_name = "N", default_value_t = 2)]
    pub(super) threads: usize,
    #[command(flatten)]
    pub(super) workers: Workers,
    /// Tipsets of each kind, executed both ways one after the other; times are medians
    #[arg(long, value_name = "N", default_value_t = 11)]
    pub(super) tipsets: usize,
    /// Where threads get their engines from
    #[arg(long, value_enum, default_value_t = Pools::Own)]
    pub(super) engines: Pools,
    /// Print one JSON object per line
    #[arg(long)]
    pub(super) json: bool,
}

/// Where threads get their engines from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Pools {
    /// Each from a pool of its own
    Own,
    /// All from one
    Shared,
}

#[derive(Debug, clap::Args)]
pub(crate) struct GenerateArgs {
    /// Kind of tipset
    #[arg(long, value_name = "NAME", default_value = "mixed")]
    pub(super) workload: Kind,
    /// Messages
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub(super) messages: usize,
    /// The seed of all choices
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(super) seed: u64,
    /// The folder to write to; it is made if it is not there
    pub(super) folder: PathBuf,
}

#[derive(Debug, clap::Args)]
pub(crate) struct CopiesArgs {
    /// Kind of tipset
    #[arg(long, value_name = "NAME", default_value = "tokens")]
    pub(super) workload: Kind,
    /// Messages of each tipset
    #[arg(long, value_name = "N", default_value_t = 500)]
    pub(super) messages: usize,
    /// Copies at a time
    #[arg(long, value_name = "N", default_value_t = 2)]
    pub(super) copies: usize,
    /// Samples of each arrangement, interleaved; times are medians
    #[arg(long, value_name = "N", default_value_t = 11)]
    pub(super) samples: usize,
    /// Be one of the processes: execute once for each line of standard input, and print the milliseconds
    #[arg(long, hide = true)]
    pub(super) child: bool,
    /// Print one JSON object per line
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct WorkerArgs {
    /// CAR archives with blocks of the state
    pub(super) archives: Vec<PathBuf>,
    /// Or the kind of tipset whose state it is
    #[arg(long, value_name = "NAME", conflicts_with = "archives")]
    pub(super) workload: Option<Kind>,
}

/// A workload, by name.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kind(pub(super) Workload);

impl ValueEnum for Kind {
    fn value_variants<'a>() -> &'a [Self] {
        const ALL: [Kind; Workload::ALL.len()] = {
            let mut all = [Kind(Workload::Tokens); Workload::ALL.len()];
            let mut index = 0;
            while index < all.len() {
                all[index] = Kind(Workload::ALL[index]);
                index += 1;
            }
            all
        };
        &ALL
    }

    fn to_possible_value(&self) -> Option<clap::builder::PossibleValue> {
        Some(self.0.name().into())
    }
}
