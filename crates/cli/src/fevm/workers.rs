use crate::shared::failure::Failure;
use crate::shared::output::complain;
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;
use tandem_fevm::{Config, Executor, WorkerCommand};

/// How long commands wait for worker processes to start and to compile their actors.
pub(super) const START: Duration = Duration::from_secs(60);

/// How many of the workers are processes.
#[derive(Debug, clap::Args)]
pub(super) struct Workers {
    /// How many of the workers are processes of their own; at least one is a thread of this process, which serves the frontier
    #[arg(long, value_name = "N", default_value_t = 0)]
    processes: usize,
    /// The program to start as a worker process [default: this one]
    #[arg(long, value_name = "PROGRAM")]
    worker: Option<PathBuf>,
}

impl Workers {
    /// Of so many workers, how many are threads and how many are processes.
    pub(super) fn divide(&self, threads: usize) -> Result<(usize, usize), Failure> {
        if threads == 0 {
            return Err(Failure::input("--threads must be at least 1"));
        }
        let processes = self.processes;
        match threads.checked_sub(processes) {
            None | Some(0) => Err(Failure::input(format!(
                "--processes {processes} of --threads {threads}: at least one worker must be a thread of this process"
            ))),
            Some(threads) => Ok((threads, processes)),
        }
    }

    /// Adds processes that find the state in the files that `args` name.
    pub(super) fn configure(
        &self,
        config: Config,
        processes: usize,
        args: impl IntoIterator<Item = OsString>,
    ) -> Result<Config, Failure> {
        let program = match &self.worker {
            Some(program) => program.clone(),
            None => std::env::current_exe().map_err(Failure::fault)?,
        };
        let command = WorkerCommand::new(program).args(["fevm", "worker"]).args(args);
        Ok(config.processes(processes, command))
    }

    /// Says of which processes the command had to do without.
    pub(super) fn report_lost(executor: &Executor) {
        for lost in executor.lost() {
            complain!("warning: {lost}; what it was to do was done without it");
        }
    }
}
