use super::args::ExplainArgs;
use crate::shared::failure::Failure;
use crate::shared::positive::positive;
use std::path::PathBuf;
use tandem_evm::Config;

/// The arguments' meaning.
#[derive(Debug)]
pub(super) struct Settings {
    pub(super) paths: Vec<PathBuf>,
    pub(super) from: u64,
    pub(super) config: Config,
    pub(super) threads: usize,
    pub(super) ideal: usize,
    pub(super) repeat: usize,
    pub(super) look_ahead: usize,
    pub(super) top: usize,
    pub(super) html: Option<PathBuf>,
    pub(super) trace: Option<PathBuf>,
    pub(super) parquet: Option<PathBuf>,
    pub(super) json: bool,
}

impl Settings {
    pub(super) fn new(args: ExplainArgs) -> Result<Self, Failure> {
        let threads = match args.threads {
            Some(threads) => positive("threads", threads)?,
            None => std::thread::available_parallelism().map_or(1, |n| n.get()),
        };
        Ok(Self {
            paths: args.paths,
            from: args.from,
            config: Config::default().threads(threads),
            threads,
            ideal: positive("ideal", args.ideal)?,
            repeat: positive("repeat", args.repeat)?,
            look_ahead: positive("look-ahead", args.look_ahead)?,
            top: args.top,
            html: args.html,
            trace: args.trace,
            parquet: args.parquet,
            json: args.json,
        })
    }
}
