use crate::engines::{Engine, Engines};
use crate::options::Options;
use crate::outcome::{Event, Outcome, Problem, Summary};
use parking_lot::Mutex;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Instant;
use tandem_evm::ConfigError;
use thiserror::Error;

/// Why tests could not be run at all.
#[derive(Clone, Debug, Error)]
#[error("{0}")]
pub struct SuiteError(String);

/// A kind of tests.
pub(crate) trait Kind: Sync {
    /// A test as files have it.
    type Test: DeserializeOwned;

    /// How many files to run together.
    const GROUP: usize;

    /// Runs all tests of some files and reports each.
    fn run(
        &self,
        sources: &[Source<Self::Test>],
        engine: &mut Engine,
        report: &mut (dyn FnMut(Outcome) + Send),
    );
}

/// A file with its tests by name.
#[derive(Debug)]
pub(crate) struct Source<T> {
    pub(crate) path: PathBuf,
    pub(crate) tests: BTreeMap<String, T>,
}

impl<T: DeserializeOwned> Source<T> {
    fn read(path: &Path) -> Result<Self, String> {
        let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
        let tests: BTreeMap<_, _> = serde_json::from_str(&text).map_err(|error| error.to_string())?;
        if tests.is_empty() {
            return Err("there are no tests in it".to_owned());
        }
        Ok(Self { path: path.to_owned(), tests })
    }
}

/// Runs the tests of all files, many files at once.
pub(crate) fn run<K: Kind>(
    kind: &K,
    files: &[PathBuf],
    options: &Options,
    observer: &(dyn Fn(Event<'_>) + Sync),
) -> Result<Summary, SuiteError> {
    let failed = |error: &dyn std::fmt::Display| SuiteError(error.to_string());
    let engines = Engines::new(options).map_err(|error| failed(&error))?;
    let start = Instant::now();
    let run = SuiteRun { options, observer, stop: AtomicBool::new(false), summary: Mutex::default() };
    let groups: Vec<_> = files.chunks(K::GROUP).collect();
    let next = AtomicUsize::new(0);
    // Threads of their own, not of a pool: while one waits for its engine it must not begin another group.
    let work = || {
        while let Some(group) = groups.get(next.fetch_add(1, Ordering::Relaxed)) {
            engines.with(|engine| run.group(kind, group, engine))?;
        }
        Ok(())
    };
    let ended: Result<(), ConfigError> = std::thread::scope(|scope| {
        let jobs: Vec<_> = (0..options.jobs).map(|_| scope.spawn(work)).collect();
        jobs.into_iter()
            .try_for_each(|job| job.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    });
    ended.map_err(|error| failed(&error))?;
    let mut summary = run.summary.into_inner();
    summary.unreadable.sort();
    Ok(Summary { work: engines.work(), time: start.elapsed(), ..summary })
}

/// The state of a run over all files of a suite.
struct SuiteRun<'o> {
    options: &'o Options,
    observer: &'o (dyn Fn(Event<'_>) + Sync),
    /// Set at the first failure; a file more or less does not matter, so no ordering is needed.
    stop: AtomicBool,
    summary: Mutex<Summary>,
}

impl SuiteRun<'_> {
    fn group<K: Kind>(&self, kind: &K, files: &[PathBuf], engine: &mut Engine) {
        if self.stop.load(Ordering::Relaxed) {
            self.summary.lock().files_left += files.len();
            return;
        }
        let mut sources = Vec::with_capacity(files.len());
        for file in files {
            self.summary.lock().files += 1;
            match Source::read(file) {
                Ok(source) => sources.push(source),
                Err(reason) => {
                    self.summary.lock().unreadable.push((file.clone(), reason));
                    self.fail();
                }
            }
        }
        kind.run(&sources, engine, &mut |outcome| self.report(&outcome));
        files.iter().for_each(|file| (self.observer)(Event::File(file)));
    }

    fn report(&self, outcome: &Outcome) {
        let mut summary = self.summary.lock();
        match &outcome.problem {
            None => {
                summary.passed += 1;
                for name in &outcome.computed.unchecked {
                    *summary.unchecked.entry(name.clone()).or_default() += 1;
                }
            }
            Some(Problem::Unsupported(fork)) => *summary.unsupported.entry(fork).or_default() += 1,
            Some(Problem::Failed(_)) => {
                summary.failed += 1;
                self.fail();
            }
        }
        (self.observer)(Event::Test(outcome));
    }

    fn fail(&self) {
        self.stop.fetch_or(!self.options.keep_going, Ordering::Relaxed);
    }
}
