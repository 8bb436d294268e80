use super::args::GenerateArgs;
use crate::shared::failure::Failure;
use std::path::PathBuf;
use tandem_evm::Config;
use tandem_workload::{ChainConfig, Workload};

/// The arguments' meaning.
#[derive(Debug)]
pub(super) struct Settings {
    pub(super) chain: ChainConfig,
    pub(super) out: PathBuf,
    pub(super) fixtures: bool,
    pub(super) json: bool,
    pub(super) config: Config,
}

impl Settings {
    pub(super) fn new(args: GenerateArgs) -> Result<Self, Failure> {
        if args.threads == Some(0) {
            return Err(Failure::input("--threads must be at least 1"));
        }
        let chain = args.chain.config(Workload::default())?;
        let config = Config::default();
        let config = match args.threads {
            Some(threads) => config.threads(threads),
            None => config,
        };
        Ok(Self { chain, out: args.out, fixtures: args.fixtures, json: args.json, config })
    }
}
