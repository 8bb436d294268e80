//! `tandem run`: execute blocks, check them, print a row for each.

mod check;
mod digest;
mod execute;
mod generated;
mod load;
mod missing;
mod plain;
mod proof;
mod report;
mod source;
mod witness;

pub(crate) use digest::block_digest;
pub(crate) use execute::{Executed, Progress, stream as execute_stream};
pub(crate) use generated::generate;
pub(crate) use load::{Input, busy, load, load_executable, progress};
pub(crate) use plain::execute as execute_plain;
pub(crate) use source::Source;
pub(crate) use witness::witness;

use crate::args::{Check, Mode, RunArgs, Senders, WitnessArgs};
use crate::failure::Failure;
use std::path::PathBuf;
use tandem_evm::Config;
use tandem_workload::ChainConfig;

/// What the arguments mean.
#[derive(Debug)]
pub(crate) struct Settings {
    paths: Vec<PathBuf>,
    mode: Mode,
    check: bool,
    /// Whether roots are computed that witnesses do not prove.
    unproven: bool,
    senders: Senders,
    json: bool,
    counters: bool,
    repeat: usize,
    threads: usize,
    config: Config,
}

impl Settings {
    pub(crate) fn new(args: RunArgs) -> Result<Self, Failure> {
        let threads = match (args.mode, args.threads) {
            (_, Some(0)) => return Err(Failure::input("--threads must be at least 1")),
            (Mode::Serial | Mode::Revm, _) => 1,
            (_, Some(threads)) => threads,
            (_, None) => std::thread::available_parallelism().map_or(1, |n| n.get()),
        };
        if args.repeat == 0 {
            return Err(Failure::input("--repeat must be at least 1"));
        }
        let mut config = Config::default().threads(threads).timing(args.counters);
        if let Some(window) = args.window {
            config = config.window(window);
        }
        Ok(Self {
            paths: args.paths,
            mode: args.mode,
            check: args.check == Check::All,
            unproven: args.unproven,
            senders: args.senders,
            json: args.json,
            counters: args.counters,
            repeat: args.repeat,
            threads,
            config,
        })
    }
}

impl TryFrom<WitnessArgs> for Settings {
    type Error = Failure;

    fn try_from(args: WitnessArgs) -> Result<Self, Failure> {
        let WitnessArgs { paths, threads, json } = args;
        let (mode, check, senders) = (Mode::Stream, Check::All, Senders::Before);
        let (unproven, window, repeat, counters) = (false, None, 1, false);
        Self::new(RunArgs { paths, threads, mode, unproven, check, senders, window, repeat, json, counters })
    }
}

pub(crate) fn run(settings: &Settings) -> Result<(), Failure> {
    let executor = tandem_evm::Executor::new(&settings.config).map_err(Failure::input)?;
    let input = if settings.paths.is_empty() {
        generate(&executor, &ChainConfig::default(), settings.json)?
    } else {
        load(&settings.paths, settings.check, settings.json)?
    };
    let outcome = execute::execute(settings, &executor, input)?;
    report::report(settings, &outcome)
}
