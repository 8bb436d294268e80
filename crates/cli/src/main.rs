//! The `tandem` command.
#![forbid(unsafe_code)]

mod args;
mod bench;
mod chain;
mod conformance;
mod explain;
#[cfg(feature = "fevm")]
mod fevm;
mod generate;
mod run;
mod shape;
mod shared;
mod study;
mod witness;

use clap::Parser;
use shared::failure::Failure;
use shared::output::{self, complain};
use std::io::ErrorKind;
use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let args = match args::Args::try_parse() {
        Ok(args) => args,
        Err(message) => return explain_usage(&message),
    };
    tandem_evm::install_precompiles();
    match run(args.command).and_then(|()| output::finish()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if let Some(message) = failure.message() {
                complain!("error: {message}");
            }
            failure.exit_code()
        }
    }
}

/// Prints the help that was asked for, or the fault of the arguments.
fn explain_usage(message: &clap::Error) -> ExitCode {
    match message.print() {
        Err(error) if !message.use_stderr() && error.kind() != ErrorKind::BrokenPipe => {
            complain!("error: writing the help failed: {error}");
            Failure::fault(error).exit_code()
        }
        _ => ExitCode::from(u8::try_from(message.exit_code()).unwrap_or(2)),
    }
}

fn run(command: args::Command) -> Result<(), Failure> {
    match command {
        args::Command::Run(args) => run::run(args),
        args::Command::Explain(args) => explain::explain(args),
        args::Command::Study(args) => study::study(args),
        args::Command::Generate(args) => generate::generate(args),
        args::Command::Shape(args) => shape::shape(args),
        args::Command::Bench(args) => bench::bench(args),
        args::Command::Statetest(args) => conformance::state_tests(args),
        args::Command::Blockchaintest(args) => conformance::block_tests(args),
        args::Command::Witness(args) => witness::witness(args),
        args::Command::Import(args) => chain::import(args),
        args::Command::Head(args) => chain::head(&args),
        args::Command::Account(args) => chain::account(&args),
        args::Command::Receipt(args) => chain::receipt(&args),
        args::Command::Unwind(args) => chain::unwind(&args),
        args::Command::Db(command) => chain::db(&command),
        #[cfg(feature = "fevm")]
        args::Command::Fevm(command) => fevm::fevm(&command),
    }
}
