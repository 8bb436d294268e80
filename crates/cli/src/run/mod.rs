//! `tandem run`: execute blocks, check them, print a row for each.

mod alloy;
mod args;
mod check;
mod execute;
mod missing;
mod report;
mod row;
mod settings;

pub(crate) use args::{Check, RunArgs, Senders};
pub(crate) use execute::Outcome;
pub(crate) use report::report;
pub(crate) use row::{Facts, Row, Stop, Wanted, row};
pub(crate) use settings::Settings;

use crate::shared::failure::Failure;
use crate::shared::generated::generate;
use crate::shared::load::load;
use tandem_evm::Executor;
use tandem_workload::ChainConfig;

pub(crate) fn run(args: RunArgs) -> Result<(), Failure> {
    let settings = Settings::new(args)?;
    let executor = Executor::new(&settings.config).map_err(Failure::input)?;
    let input = if settings.paths.is_empty() {
        generate(&executor, &ChainConfig::default(), settings.json)?
    } else {
        load(&settings.paths, settings.check, settings.json)?
    };
    let outcome = execute::execute(&settings, &executor, input)?;
    report(&settings, &outcome)
}
