use super::case::Case;
use super::format::{Expected, StateTest};
use crate::engines::Engine;
use crate::exception::is_stated;
use crate::outcome::{Computed, Event, Outcome, Summary};
use crate::rejection::Rejection;
use crate::suite::{self, Kind, Options, Source, SuiteError};
use crate::world::{Base, BlockHashes, World};
use alloy_primitives::{B256, Log, keccak256};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tandem_evm::{Block, BlockInput, ExecutionError, FinishedBlock, StoreRef};

/// Runs state tests: each transaction in a block of its own, many unrelated blocks in one stream of the parallel engine.
///
/// # Errors
///
/// If the options make no sense. What is wrong with files and tests is in the summary.
pub fn run_state_tests(
    files: &[PathBuf],
    options: Options,
    observer: &(dyn Fn(Event<'_>) + Sync),
) -> Result<Summary, SuiteError> {
    suite::run(&StateTests, files, options, observer)
}

struct StateTests;

/// A case with the test that it comes from.
struct Job<'t> {
    file: &'t Path,
    name: &'t str,
    fork: &'t str,
    expected: &'t Expected,
    /// Index of the test's state.
    world: usize,
    case: Case,
}

/// What became of a transaction.
struct Executed {
    /// Why it was refused, if it was.
    rejection: Option<Rejection>,
    /// Its block; one without it if it was refused.
    block: FinishedBlock,
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
        let mut jobs = Vec::new();
        let tests = sources.iter().flat_map(|source| source.tests.iter().map(move |test| (source, test)));
        for (source, (name, test)) in tests {
            let world = World::new(&test.pre);
            for (fork, expected) in test.expected() {
                let case = match &world {
                    Ok(world) => {
                        Case::new(test, fork, expected).map(|case| case.with_occupied_addresses(world))
                    }
                    Err(address) => Err(format!("the nonce of account {address} is too large")),
                };
                let file = source.path.as_path();
                match case {
                    Ok(case) => jobs.push(Job { file, name, fork, expected, world: worlds.len(), case }),
                    Err(error) => {
                        report(outcome(file, name, fork, expected, Computed::default(), Some(error)));
                    }
                }
            }
            worlds.push(world.unwrap_or_default());
        }
        for (job, executed) in jobs.iter().zip(execute(engine, &jobs, &worlds)) {
            let (computed, failure) = match executed {
                Ok(executed) => job.check(&worlds[job.world], &executed),
                Err(error) => (Computed::default(), Some(error)),
            };
            report(outcome(job.file, job.name, job.fork, job.expected, computed, failure));
        }
    }
}

fn outcome(
    file: &Path,
    name: &str,
    fork: &str,
    expected: &Expected,
    computed: Computed,
    failure: Option<String>,
) -> Outcome {
    Outcome {
        file: file.to_owned(),
        test: name.to_owned(),
        fork: fork.to_owned(),
        index: Some(expected.indexes),
        failure,
        computed,
    }
}

/// Executes each job's transaction, as a block of an unrelated world; then a block without it if it was refused.
fn execute(engine: &mut Engine, jobs: &[Job<'_>], worlds: &[World]) -> Vec<Result<Executed, String>> {
    let bases: Vec<_> =
        worlds.iter().map(|world| Base { world, block_hashes: BlockHashes::OfNumbers }).collect();
    let stores: Vec<_> = bases.iter().map(StoreRef).collect();
    let input = |index: usize, block: Block| BlockInput {
        block: Arc::new(block),
        store: &stores[jobs[index].world],
        world: index as u32,
    };
    let inputs: Vec<_> = jobs.iter().enumerate().map(|(index, job)| input(index, job.case.block())).collect();
    let blocks = engine.execute_all(&inputs);
    let mut rejections: Vec<_> =
        jobs.iter().map(|job| job.case.transaction.as_ref().err().cloned()).collect();
    let mut executed = Vec::with_capacity(jobs.len());
    for (block, rejection) in blocks.into_iter().zip(&mut rejections) {
        executed.push(match block {
            Ok(block) => Ok(Some(block)),
            Err(ExecutionError::Transaction { error, .. }) => {
                *rejection = Some(Rejection::Transaction(error));
                Ok(None)
            }
            Err(ExecutionError::Block { error, .. }) => {
                *rejection = Some(Rejection::Block(error));
                Ok(None)
            }
            Err(error) => Err(error.to_string()),
        });
    }
    let refused = |executed: &Result<Option<FinishedBlock>, String>| matches!(executed, Ok(None));
    let inputs: Vec<_> = (0..jobs.len())
        .filter(|index| refused(&executed[*index]))
        .map(|index| input(index, jobs[index].case.empty_block()))
        .collect();
    let mut empty = engine.execute_all(&inputs).into_iter();
    let finish = |(executed, rejection)| {
        let block = match executed? {
            Some(block) => block,
            None => match empty.next() {
                Some(block) => block.map_err(|error| error.to_string())?,
                None => return Err("a block is missing".to_owned()),
            },
        };
        Ok(Executed { rejection, block })
    };
    executed.into_iter().zip(rejections).map(finish).collect()
}

impl Job<'_> {
    /// Compares what was executed with what the test expects.
    fn check(&self, before: &World, executed: &Executed) -> (Computed, Option<String>) {
        let Executed { rejection, block } = executed;
        let mut after = before.clone();
        after.apply(&block.state_changes());
        let state_root = after.state_root();
        let logs_hash = logs_hash(block);
        let computed = Computed {
            state_root: Some(state_root),
            logs_hash: Some(logs_hash),
            gas_used: Some(block.gas_used),
            result: Some(match (rejection, block.receipts.first()) {
                (Some(rejection), _) => Err(rejection.to_string()),
                (None, receipt) => Ok(receipt.is_some_and(|receipt| receipt.success)),
            }),
        };
        let failure = self.failure(rejection.as_ref(), state_root, logs_hash);
        (computed, failure)
    }

    fn failure(&self, rejection: Option<&Rejection>, state_root: B256, logs_hash: B256) -> Option<String> {
        let expected = self.expected;
        match (rejection, &expected.exception) {
            (None, None) => {}
            (Some(rejection), None) => return Some(rejection.to_string()),
            (None, Some(stated)) => return Some(format!("it was executed, expected {stated}")),
            (Some(rejection), Some(stated)) => match is_stated(stated, rejection) {
                Ok(true) => {}
                Ok(false) => return Some(format!("{rejection}; expected {stated}")),
                Err(name) => return Some(format!("{rejection}; expected {stated}, but {name} is unknown")),
            },
        }
        if logs_hash != expected.logs {
            return Some(format!("the logs hash is {logs_hash}, expected {}", expected.logs));
        }
        (state_root != expected.hash)
            .then(|| format!("the state root is {state_root}, expected {}", expected.hash))
    }
}

/// The hash over the RLP of a block's logs.
fn logs_hash(block: &FinishedBlock) -> B256 {
    let logs: Vec<&Log> = block.receipts.iter().flat_map(|receipt| &receipt.logs).collect();
    let mut encoded = Vec::new();
    alloy_rlp::encode_list::<&Log, Log>(&logs, &mut encoded);
    keccak256(encoded)
}
