use super::case::Case;
use super::expected::Expected;
use super::format::StateTest;
use crate::engines::Engine;
use crate::exception::is_stated;
use crate::index::Index;
use crate::options::Options;
use crate::outcome::{Computed, Event, Outcome, Problem, Summary};
use crate::rejection::Rejection;
use crate::suite::{self, Kind, Source, SuiteError};
use crate::world::{Base, BlockHashes, World};
use alloy_primitives::{B256, Log, keccak256};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tandem_evm::{BlockInput, ExecutionError, FinishedBlock, Receipt, StoreRef};

/// Runs state tests: each transaction in a block of its own, many unrelated blocks in one stream of the parallel engine.
///
/// # Errors
///
/// If the options make no sense. Faults of files and tests are in the summary.
pub fn run_state_tests(
    files: &[PathBuf],
    options: &Options,
    observer: &(dyn Fn(Event<'_>) + Sync),
) -> Result<Summary, SuiteError> {
    suite::run(&StateTests, files, options, observer)
}

struct StateTests;

/// A case, with the test that it comes from.
struct TestCase<'t> {
    file: &'t Path,
    name: &'t str,
    fork: &'t str,
    expected: &'t Expected,
    /// Index of the test's state.
    world: usize,
    case: Case,
}

impl Kind for StateTests {
    type Test = StateTest;
    const GROUP: usize = 1;

    fn run(
        &self,
        sources: &[Source<StateTest>],
        engine: &mut Engine,
        report: &mut (dyn FnMut(Outcome) + Send),
    ) {
        let mut worlds = Vec::new();
        let mut cases = Vec::new();
        let tests = sources.iter().flat_map(|source| source.tests.iter().map(move |test| (source, test)));
        for (source, (name, test)) in tests {
            let file = source.path.as_path();
            let world = World::new(&test.pre);
            if test.expected().next().is_none() {
                report(outcome(file, name, "", None, Computed::default(), Some(nothing_expected())));
            }
            for (fork, expected) in test.expected() {
                let case = match &world {
                    Ok(world) => {
                        Case::new(test, fork, expected).map(|case| case.with_occupied_addresses(world))
                    }
                    Err(address) => Err(format!("the nonce of account {address} is too large").into()),
                };
                match case {
                    Ok(case) => {
                        cases.push(TestCase { file, name, fork, expected, world: worlds.len(), case });
                    }
                    Err(problem) => {
                        let index = Some(expected.indexes);
                        report(outcome(file, name, fork, index, Computed::default(), Some(problem)));
                    }
                }
            }
            worlds.push(world.unwrap_or_default());
        }
        for (test_case, executed) in cases.iter().zip(execute(engine, &cases, &worlds)) {
            let (computed, problem) = match executed {
                Ok(executed) => test_case.check(&worlds[test_case.world], &executed),
                Err(fault) => (Computed::default(), Some(fault.into())),
            };
            report(outcome(
                test_case.file,
                test_case.name,
                test_case.fork,
                Some(test_case.expected.indexes),
                computed,
                problem,
            ));
        }
    }
}

/// The fault of a test that would pass whatever happens.
pub(crate) fn nothing_expected() -> Problem {
    Problem::Failed("the test says nothing of what is expected: its post is empty".to_owned())
}

fn outcome(
    file: &Path,
    name: &str,
    fork: &str,
    index: Option<Index>,
    computed: Computed,
    problem: Option<Problem>,
) -> Outcome {
    Outcome { file: file.to_owned(), test: name.to_owned(), fork: fork.to_owned(), index, problem, computed }
}

/// The result of a test case's transaction: the block that it was executed in, or why it was rejected.
type TransactionResult = Result<FinishedBlock, Rejection>;

/// Executes each test case's transaction, as a block of an unrelated world. The error is a fault.
fn execute(
    engine: &mut Engine,
    cases: &[TestCase<'_>],
    worlds: &[World],
) -> Vec<Result<TransactionResult, String>> {
    let bases: Vec<_> =
        worlds.iter().map(|world| Base { world, block_hashes: BlockHashes::OfNumbers }).collect();
    let stores: Vec<_> = bases.iter().map(StoreRef).collect();
    let input = |(index, test_case): (usize, &TestCase<'_>)| {
        let block = Arc::new(test_case.case.block()?);
        Some(BlockInput { block, store: &stores[test_case.world], world: index as u32 })
    };
    let inputs: Vec<_> = cases.iter().enumerate().filter_map(input).collect();
    let mut blocks = engine.execute_all(&inputs).into_iter();
    let mut executed = |test_case: &TestCase<'_>| match &test_case.case.transaction {
        Err(rejection) => Ok(Err(rejection.clone())),
        Ok(_) => match blocks.next() {
            Some(Ok(block)) => Ok(Ok(block)),
            Some(Err(ExecutionError::Transaction { error, .. })) => Ok(Err(Rejection::Transaction(error))),
            Some(Err(ExecutionError::Block { error, .. })) => Ok(Err(Rejection::Block(error))),
            Some(Err(error)) => Err(error.to_string()),
            None => Err("a block is missing".to_owned()),
        },
    };
    cases.iter().map(&mut executed).collect()
}

impl TestCase<'_> {
    /// Compares what was executed with what the test expects. A refused transaction leaves everything as it was.
    fn check(&self, before: &World, executed: &TransactionResult) -> (Computed, Option<Problem>) {
        let mut after = before.clone();
        let (result, gas_used, logs_hash) = match executed {
            Ok(block) => {
                after.apply(&block.state_changes());
                let success = block.receipts.first().is_some_and(|receipt| receipt.success);
                (Ok(success), block.gas_used, logs_hash(&block.receipts))
            }
            Err(rejection) => (Err(rejection.to_string()), 0, logs_hash(&[])),
        };
        let state_root = after.state_root();
        let mut computed = Computed {
            state_root: Some(state_root),
            logs_hash: Some(logs_hash),
            gas_used: Some(gas_used),
            result: Some(result),
            unchecked: Vec::new(),
        };
        let failure = self.failure(executed.as_ref().err(), state_root, logs_hash, &mut computed.unchecked);
        (computed, failure.map(Problem::Failed))
    }

    fn failure(
        &self,
        rejection: Option<&Rejection>,
        state_root: B256,
        logs_hash: B256,
        unchecked: &mut Vec<String>,
    ) -> Option<String> {
        let expected = self.expected;
        match (rejection, &expected.exception) {
            (None, None) => {}
            (Some(rejection), None) => return Some(rejection.to_string()),
            (None, Some(stated)) => return Some(format!("it was executed, expected {stated}")),
            (Some(rejection), Some(stated)) => match is_stated(stated, rejection) {
                Ok(true) => {}
                Ok(false) => return Some(format!("{rejection}; expected {stated}")),
                Err(name) => unchecked.push(name.to_owned()),
            },
        }
        if logs_hash != expected.logs {
            return Some(format!("the logs hash is {logs_hash}, expected {}", expected.logs));
        }
        (state_root != expected.hash)
            .then(|| format!("the state root is {state_root}, expected {}", expected.hash))
    }
}

/// The hash over the RLP of all logs.
fn logs_hash(receipts: &[Receipt]) -> B256 {
    let logs: Vec<&Log> = receipts.iter().flat_map(|receipt| &receipt.logs).collect();
    let mut encoded = Vec::new();
    alloy_rlp::encode_list::<&Log, Log>(&logs, &mut encoded);
    keccak256(encoded)
}
