use crate::index::Index;
use alloy_primitives::B256;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tandem_evm::Metrics;
use thiserror::Error;

/// The outcome of one test, or of one combination of a state test's data, gas limit and value.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The file that holds the test.
    pub file: PathBuf,
    /// The test's name in its file.
    pub test: String,
    /// The rules, as the test names them.
    pub fork: String,
    /// Which combination, in a state test.
    pub index: Option<Index>,
    /// Why it did not pass, if it did not.
    pub problem: Option<Problem>,
    /// The computed values.
    pub computed: Computed,
}

/// The results of executing a test; `None` where it gave nothing, or never came that far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Computed {
    /// The root of the state after it.
    pub state_root: Option<B256>,
    /// The hash over the transaction's logs.
    pub logs_hash: Option<B256>,
    /// Gas used.
    pub gas_used: Option<u64>,
    /// Whether the transaction succeeded, or why there is no receipt of it.
    pub result: Option<Result<bool, String>>,
    /// Names of reasons that the test states and that are not known. The test was refused as it should be; whether for this reason was not
    /// checked.
    pub unchecked: Vec<String>,
}

impl Outcome {
    /// Whether all was as the test demands.
    pub fn passed(&self) -> bool {
        self.problem.is_none()
    }
}

/// Why a test did not pass.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum Problem {
    /// Something is not as the test demands, or the test contradicts itself.
    #[error("{0}")]
    Failed(String),
    /// The test is of a fork that is known and not supported, so that it was not run.
    #[error("{0} is not supported")]
    Unsupported(&'static str),
}

impl From<String> for Problem {
    fn from(text: String) -> Self {
        Self::Failed(text)
    }
}

/// The outcome of all tests.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// Tests that passed.
    pub passed: u64,
    /// Tests that failed.
    pub failed: u64,
    /// Tests that were not run, by the fork that is not supported.
    pub unsupported: BTreeMap<&'static str, u64>,
    /// Reasons that could not be checked, by the name that is not known, in tests that passed.
    pub unchecked: BTreeMap<String, u64>,
    /// Files that were read.
    pub files: usize,
    /// Files left out because a failure ended the run.
    pub files_left: usize,
    /// Files that hold no tests of this kind, with the reason.
    pub unreadable: Vec<(PathBuf, String)>,
    /// The engine's work.
    pub work: Work,
    /// From the first file to the last.
    pub time: Duration,
}

/// The parallel engine's work. A run in which nothing was ever executed again or repaired proves little of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Work {
    /// Blocks that it found valid, each once, in however many ways it was executed.
    pub blocks: u64,
    /// Transactions in these blocks.
    pub transactions: u64,
    /// Blocks that alloy-evm executed, too ([`Options::alloy`](crate::Options)).
    pub by_alloy: u64,
    /// Its counters, over all executions of all steps, and over blocks that it found invalid, too.
    pub metrics: Metrics,
}

impl Work {
    /// Adds another's work.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.blocks += other.blocks;
        self.transactions += other.transactions;
        self.by_alloy += other.by_alloy;
        self.metrics.merge(&other.metrics);
    }
}

/// An event of a run, told as it happens from many threads.
#[derive(Debug)]
pub enum Event<'a> {
    /// A test has ended.
    Test(&'a Outcome),
    /// All tests of a file have ended.
    File(&'a Path),
}
