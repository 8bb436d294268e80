//! `tandem generate`: write a generated chain to disk, print a row for each block.

mod args;
mod fixtures;
mod output;
mod recorder;
mod report;
mod settings;

pub(crate) use args::GenerateArgs;

use crate::shared::builder::Builder;
use crate::shared::failure::Failure;
use crate::shared::progress::progress;
use fixtures::Fixtures;
use output::Destination;
use report::{Report, Row};
use settings::Settings;
use std::time::Instant;
use tandem_chain::write_block;
use tandem_evm::Executor;

const GENESIS: &str = "genesis.json";
const CHAIN: &str = "chain.rlp";

pub(crate) fn generate(args: GenerateArgs) -> Result<(), Failure> {
    let settings = Settings::new(args)?;
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
    report.print(&settings, start.elapsed())
}
