//! `tandem generate`: write a generated chain to disk, print a row for each block.

mod args;
mod builder;
mod fixtures;
mod output;
mod recorder;
mod report;

pub(crate) use args::{ChainArgs, GenerateArgs};
pub(crate) use builder::{Builder, Unsealed, attributes};

use crate::failure::Failure;
use crate::run::progress;
use fixtures::Fixtures;
use output::Destination;
use report::{Report, Row};
use std::path::PathBuf;
use std::time::Instant;
use tandem_chain::write_block;
use tandem_evm::{Config, Executor};
use tandem_workload::{ChainConfig, Workload};

const GENESIS: &str = "genesis.json";
const CHAIN: &str = "chain.rlp";

/// What the arguments mean.
#[derive(Debug)]
pub(crate) struct Settings {
    chain: ChainConfig,
    out: PathBuf,
    fixtures: bool,
    json: bool,
    config: Config,
}

impl Settings {
    pub(crate) fn new(args: GenerateArgs) -> Result<Self, Failure> {
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

pub(crate) fn generate(settings: &Settings) -> Result<(), Failure> {
    let start = Instant::now();
    let config = &settings.chain;
    let executor = Executor::new(&settings.config).map_err(Failure::input)?;
    let destination = Destination::open(&settings.out)?;
    let folder = destination.folder();

    let bar = progress(config.accounts + config.population, "accounts", settings.json);
    let mut builder = Builder::new(&executor, config, |accounts| bar.inc(accounts as u64))?;
    bar.finish_and_clear();
    let mut report = Report::new(config, &builder);
    let mut file = folder.file(GENESIS)?;
    file.write(|writer| builder.genesis().write_json(writer))?;
    report.wrote(GENESIS, file.finish()?);

    let mut fixtures = settings.fixtures.then(|| Fixtures::new(folder.clone(), &builder));
    let mut file = folder.file(CHAIN)?;
    let bar = progress(config.blocks, "blocks", settings.json);
    for _ in 0..config.blocks {
        let built = builder.build()?;
        file.write(|writer| write_block(writer, &built.sealed))?;
        if let Some(fixtures) = &mut fixtures {
            fixtures.write(&builder, &built)?;
        }
        report.add(Row::new(&built));
        builder.advance(&built);
        bar.inc(1);
    }
    bar.finish_and_clear();
    report.wrote(CHAIN, file.finish()?);
    if let Some(fixtures) = fixtures {
        fixtures.finish()?;
    }
    destination.finish(GENESIS)?;
    report.print(settings, start.elapsed())
}
