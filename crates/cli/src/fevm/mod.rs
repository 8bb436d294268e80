//! `tandem fevm`: Filecoin's messages in parallel.

mod args;
mod bench;
mod copies;
mod generate;
mod median;
mod run;
mod worker;
mod workers;

pub(crate) use args::FevmCommand;

use crate::shared::failure::Failure;

pub(crate) fn fevm(command: &FevmCommand) -> Result<(), Failure> {
    match command {
        FevmCommand::Run(args) => run::run(args),
        FevmCommand::Bench(args) => bench::bench(args),
        FevmCommand::Generate(args) => generate::generate(args),
        FevmCommand::Copies(args) => copies::copies(args),
        FevmCommand::Worker(args) => worker::worker(args),
    }
}
