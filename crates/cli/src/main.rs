//! The `tandem` command.
#![forbid(unsafe_code)]

mod args;
mod failure;
mod run;

use clap::Parser;
use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let args = args::Args::parse();
    tandem_evm::install_precompiles();
    let result = match args.command {
        args::Command::Run(args) => run::Settings::new(args).and_then(|settings| run::run(&settings)),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if let Some(message) = failure.message() {
                eprintln!("error: {message}");
            }
            failure.exit_code()
        }
    }
}
