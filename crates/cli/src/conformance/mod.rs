//! `tandem statetest` and `tandem blockchaintest`: run the official tests through the engine.

mod args;
mod report;

pub(crate) use args::{StateTestArgs, TestArgs};

use crate::shared::failure::Failure;
use report::{Format, Reporter};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use tandem_conformance::{
    Event, Options, Packing, PackingCounts, SuiteError, Summary, run_block_tests, run_packed_state_tests,
    run_state_tests,
};

/// Worker threads of an engine that executes small blocks.
const THREADS: usize = 2;

/// Worker threads of an engine that executes packs: more steps in flight, more conflicts.
const THREADS_FOR_PACKS: usize = 4;

/// Runs state tests, each by itself or packed.
pub(crate) fn state_tests(args: StateTestArgs) -> Result<(), Failure> {
    let StateTestArgs { tests, pack, repeat } = args;
    if pack.is_none() && repeat.is_none() {
        return Settings::new(tests, THREADS)?
            .run(|files, options, observer| Ok((run_state_tests(files, options, observer)?, None)));
    }
    let one = NonZeroUsize::MIN;
    let packing = Packing { pack: pack.unwrap_or(one), repeat: repeat.unwrap_or(one) };
    Settings::new(tests, THREADS_FOR_PACKS)?.run(|files, options, observer| {
        let (summary, counts) = run_packed_state_tests(files, packing, options, observer)?;
        Ok((summary, Some(counts)))
    })
}

/// Runs blockchain tests.
pub(crate) fn block_tests(args: TestArgs) -> Result<(), Failure> {
    Settings::new(args, THREADS)?
        .run(|files, options, observer| Ok((run_block_tests(files, options, observer)?, None)))
}

/// The arguments' meaning.
struct Settings {
    files: Vec<PathBuf>,
    options: Options,
    format: Format,
    progress: bool,
}

impl Settings {
    fn new(args: TestArgs, default_threads: usize) -> Result<Self, Failure> {
        let TestArgs {
            paths,
            json,
            json_outcome,
            keep_going,
            single_thread,
            omit_progress,
            threads,
            slow_reads,
            alloy,
        } = args;
        if threads.contains(&0) {
            return Err(Failure::input("--threads must be at least 1"));
        }
        let files = tandem_conformance::find_tests(&paths)
            .map_err(|(path, error)| Failure::Input(format!("{}: {error}", path.display())))?;
        if files.is_empty() {
            return Err(Failure::input("there are no JSON files at the given paths"));
        }
        let cores = std::thread::available_parallelism().map_or(1, |n| n.get());
        let (jobs, default_threads) = if single_thread { (1, 1) } else { (cores, default_threads) };
        let threads = if threads.is_empty() { vec![default_threads] } else { threads };
        let format = match (json, json_outcome) {
            (_, true) => Format::JsonOutcome,
            (true, _) => Format::Json,
            _ => Format::Text,
        };
        Ok(Self {
            files,
            options: Options { jobs, threads, slow_reads, alloy, keep_going },
            format,
            progress: !omit_progress && format == Format::Text,
        })
    }

    fn run(
        self,
        runner: impl FnOnce(
            &[PathBuf],
            &Options,
            &(dyn Fn(Event<'_>) + Sync),
        ) -> Result<(Summary, Option<PackingCounts>), SuiteError>,
    ) -> Result<(), Failure> {
        let reporter = Reporter::new(self.format, self.files.len(), self.progress);
        let (summary, packing) =
            runner(&self.files, &self.options, &|event| reporter.note(&event)).map_err(Failure::input)?;
        reporter.finish(&summary, packing);
        match (&summary.unreadable[..], summary.failed, summary.passed) {
            ([(file, reason), ..], _, _) => Err(Failure::Input(format!("{}: {reason}", file.display()))),
            ([], 0, 0) => Err(Failure::Input(nothing_ran(&summary, packing))),
            ([], 0, _) => Ok(()),
            ([], _, _) => Err(Failure::Check),
        }
    }
}

/// Why no test passed though none failed.
fn nothing_ran(summary: &Summary, packing: Option<PackingCounts>) -> String {
    let forks: Vec<_> = summary.unsupported.keys().copied().collect();
    let left_out = packing.map_or(0, |counts| counts.left_out);
    match (&forks[..], left_out) {
        ([], left_out) => format!(
            "no transaction was executed: {left_out} were left out, since they must be refused or fit into no block"
        ),
        (forks, 0) => format!("no test was run: {} is not supported", forks.join(", ")),
        (forks, _) => format!(
            "no transaction was executed: {} is not supported, and {left_out} transactions were left out, since they \
             must be refused or fit into no block",
            forks.join(", ")
        ),
    }
}
