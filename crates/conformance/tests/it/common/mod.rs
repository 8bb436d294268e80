//! Running tests that are written to a folder.
#![allow(dead_code, reason = "each test binary uses its part")]

use serde_json::Value;
use std::path::PathBuf;
use std::sync::Mutex;
use tandem_conformance::{Event, Options, Outcome, SuiteError, Summary};

/// One of the functions that run tests.
pub(crate) type Runner = fn(&[PathBuf], &Options, &(dyn Fn(Event<'_>) + Sync)) -> Result<Summary, SuiteError>;

pub(crate) fn options() -> Options {
    Options { jobs: 2, threads: vec![1, 4], slow_reads: false, alloy: false, keep_going: true }
}

/// Runs files with these contents, and gives their outcomes.
pub(crate) fn run(runner: Runner, options: &Options, contents: &[String]) -> (Vec<Outcome>, Summary) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut files = Vec::new();
    for (index, content) in contents.iter().enumerate() {
        let file = folder.path().join(format!("{index}.json"));
        std::fs::write(&file, content).expect("the folder can be written to");
        files.push(file);
    }
    let outcomes = Mutex::new(Vec::new());
    let observer = |event: Event<'_>| {
        if let Event::Test(outcome) = event {
            outcomes.lock().expect("no panic").push(outcome.clone());
        }
    };
    let summary = runner(&files, options, &observer).expect("the options make sense");
    (outcomes.into_inner().expect("no panic"), summary)
}

/// The reasons of a file's only test, which passes, that were not checked, as the test names them.
pub(crate) fn unchecked(runner: Runner, test: &Value) -> Vec<String> {
    let (outcomes, summary) = run(runner, &options(), &[test.to_string()]);
    assert_eq!((summary.passed, summary.failed), (1, 0), "{outcomes:?}");
    assert_eq!(summary.unchecked.into_keys().collect::<Vec<_>>(), outcomes[0].computed.unchecked);
    outcomes[0].computed.unchecked.clone()
}

/// The only failure of a file with one test; `None` if it passes.
pub(crate) fn failure(runner: Runner, test: &Value) -> Option<String> {
    let (outcomes, summary) = run(runner, &options(), &[test.to_string()]);
    assert!(summary.unreadable.is_empty(), "{:?}", summary.unreadable);
    assert_eq!((outcomes.len(), summary.passed + summary.failed), (1, 1));
    outcomes[0].problem.as_ref().map(ToString::to_string)
}
