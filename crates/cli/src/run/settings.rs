use super::args::{Check, RunArgs, Senders};
use crate::shared::failure::Failure;
use crate::shared::mode::Mode;
use std::path::PathBuf;
use tandem_evm::Config;

/// The arguments' meaning.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) paths: Vec<PathBuf>,
    pub(crate) mode: Mode,
    pub(crate) check: bool,
    /// Whether roots are computed that witnesses do not prove.
    pub(crate) unproven: bool,
    /// Whether alloy-evm's executor executes the blocks, too.
    pub(crate) alloy: bool,
    pub(crate) senders: Senders,
    pub(crate) json: bool,
    pub(crate) counters: bool,
    pub(crate) repeat: usize,
    pub(crate) threads: usize,
    pub(crate) config: Config,
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
        if args.alloy && args.mode == Mode::Revm {
            return Err(Failure::input("--alloy compares with the engine, which --mode revm does not run"));
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
            alloy: args.alloy,
            senders: args.senders,
            json: args.json,
            counters: args.counters,
            repeat: args.repeat,
            threads,
            config,
        })
    }
}
