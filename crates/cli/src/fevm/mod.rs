//! `tandem fevm`: Filecoin's messages in parallel.

mod bench;
mod copies;
mod generate;
mod run;
mod worker;

use crate::failure::Failure;
use crate::output::complain;
use clap::{Subcommand, ValueEnum};
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;
use tandem_fevm::workload::Workload;
use tandem_fevm::{Config, Executor, WorkerCommand};

/// How long commands wait for worker processes to start and to compile their actors.
const START: Duration = Duration::from_secs(60);

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
    bundle: PathBuf,
    /// The state before the messages: a CAR archive whose root is the state's
    #[arg(long, value_name = "CAR")]
    state: PathBuf,
    /// The messages: one JSON object per line
    #[arg(long, value_name = "FILE")]
    messages: PathBuf,
    /// Workers, threads and processes together [default: one per available core]
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
    #[command(flatten)]
    workers: Workers,
    /// Take it that the bundle's actor `evm` is the official one, so that changes of one contract's slots can be merged
    #[arg(long)]
    trust_evm: bool,
    /// Execute on the unmodified reference too, and compare everything
    #[arg(long)]
    verify: bool,
    /// Print one JSON object per line
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct BenchArgs {
    /// Kinds of tipsets [default: all]
    #[arg(long = "workload", value_name = "NAME", value_delimiter = ',')]
    workloads: Vec<Kind>,
    /// Messages of each tipset
    #[arg(long, value_name = "N", default_value_t = 500)]
    messages: usize,
    /// Workers, threads and processes together
    #[arg(long, value_name = "N", default_value_t = 2)]
    threads: usize,
    #[command(flatten)]
    workers: Workers,
    /// Tipsets of each kind, executed both ways one after the other; times are medians
    #[arg(long, value_name = "N", default_value_t = 11)]
    tipsets: usize,
    /// Where threads get their engines from
    #[arg(long, value_enum, default_value_t = Pools::Own)]
    engines: Pools,
    /// Print one JSON object per line
    #[arg(long)]
    json: bool,
}

/// How many of the workers are processes.
#[derive(Debug, clap::Args)]
pub(crate) struct Workers {
    /// How many of the workers are processes of their own; at least one is a thread of this process, which serves the frontier
    #[arg(long, value_name = "N", default_value_t = 0)]
    processes: usize,
    /// The program to start as a worker process [default: this one]
    #[arg(long, value_name = "PROGRAM")]
    worker: Option<PathBuf>,
}

impl Workers {
    /// Of so many workers, how many are threads and how many are processes.
    fn divide(&self, threads: usize) -> Result<(usize, usize), Failure> {
        if threads == 0 {
            return Err(Failure::input("--threads must be at least 1"));
        }
        let processes = self.processes;
        match threads.checked_sub(processes) {
            None | Some(0) => Err(Failure::input(format!(
                "--processes {processes} of --threads {threads}: at least one worker must be a thread of this process"
            ))),
            Some(threads) => Ok((threads, processes)),
        }
    }

    /// Adds processes that find the state in what `args` name.
    fn configure(
        &self,
        config: Config,
        processes: usize,
        args: impl IntoIterator<Item = OsString>,
    ) -> Result<Config, Failure> {
        let program = match &self.worker {
            Some(program) => program.clone(),
            None => std::env::current_exe().map_err(Failure::fault)?,
        };
        let command = WorkerCommand::new(program).args(["fevm", "worker"]).args(args);
        Ok(config.processes(processes, command))
    }

    /// Says of which processes the command had to do without.
    fn report_lost(executor: &Executor) {
        for lost in executor.lost() {
            complain!("warning: {lost}; what it was to do was done without it");
        }
    }
}

/// Where threads get their engines from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Pools {
    /// Each from a pool of its own
    Own,
    /// All from one
    Shared,
}

#[derive(Debug, clap::Args)]
pub(crate) struct GenerateArgs {
    /// Kind of tipset
    #[arg(long, value_name = "NAME", default_value = "mixed")]
    workload: Kind,
    /// Messages
    #[arg(long, value_name = "N", default_value_t = 100)]
    messages: usize,
    /// The seed of all choices
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// The folder to write to; it is made if it is not there
    folder: PathBuf,
}

#[derive(Debug, clap::Args)]
pub(crate) struct CopiesArgs {
    /// Kind of tipset
    #[arg(long, value_name = "NAME", default_value = "tokens")]
    workload: Kind,
    /// Messages of each tipset
    #[arg(long, value_name = "N", default_value_t = 500)]
    messages: usize,
    /// Copies at a time
    #[arg(long, value_name = "N", default_value_t = 2)]
    copies: usize,
    /// Samples of each arrangement, interleaved; times are medians
    #[arg(long, value_name = "N", default_value_t = 11)]
    samples: usize,
    /// Be one of the processes: execute once for each line of standard input, and print the milliseconds
    #[arg(long, hide = true)]
    child: bool,
    /// Print one JSON object per line
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct WorkerArgs {
    /// CAR archives with blocks of the state
    archives: Vec<PathBuf>,
    /// Or the kind of tipset whose state it is
    #[arg(long, value_name = "NAME", conflicts_with = "archives")]
    workload: Option<Kind>,
}

/// A workload, by name.
#[derive(Clone, Copy, Debug)]
struct Kind(Workload);

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

pub(crate) fn fevm(command: &FevmCommand) -> Result<(), Failure> {
    match command {
        FevmCommand::Run(args) => run::run(args),
        FevmCommand::Bench(args) => bench::bench(args),
        FevmCommand::Generate(args) => generate::generate(args),
        FevmCommand::Copies(args) => copies::copies(args),
        FevmCommand::Worker(args) => worker::worker(args),
    }
}

/// The middle one of some times, or the mean of the two in the middle.
fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    let half = times.len() / 2;
    match times.len() {
        0 => f64::NAN,
        odd if odd % 2 == 1 => times[half],
        _ => (times[half - 1] + times[half]) / 2.0,
    }
}
