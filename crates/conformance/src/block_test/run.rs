use super::format::{BlockTest, StatedBlock};
use super::import::{ImportError, Tree};
use crate::engines::Engine;
use crate::exception::is_stated;
use crate::network;
use crate::options::Options;
use crate::outcome::{Computed, Event, Outcome, Problem, Summary};
use crate::rejection::Rejection;
use crate::suite::{self, Kind, Source, SuiteError};
use crate::world::World;
use alloy_primitives::{B256, Sealed};
use std::path::PathBuf;
use std::sync::Arc;
use tandem_chain::decode_block;

/// Runs blockchain tests: each block is decoded, checked, executed on its parent's state by the parallel engine, and
/// compared with its header.
///
/// # Errors
///
/// If the options make no sense. Faults of files and tests are in the summary.
pub fn run_block_tests(
    files: &[PathBuf],
    options: &Options,
    observer: &(dyn Fn(Event<'_>) + Sync),
) -> Result<Summary, SuiteError> {
    suite::run(&BlockTests, files, options, observer)
}

struct BlockTests;

impl Kind for BlockTests {
    type Test = BlockTest;
    const GROUP: usize = 1;

    fn run(
        &self,
        sources: &[Source<BlockTest>],
        engine: &mut Engine,
        report: &mut (dyn FnMut(Outcome) + Send),
    ) {
        let tests = sources.iter().flat_map(|source| source.tests.iter().map(move |test| (source, test)));
        for (source, (name, test)) in tests {
            let mut computed = Computed::default();
            let problem = run(test, engine, &mut computed).err();
            report(Outcome {
                file: source.path.clone(),
                test: name.clone(),
                fork: test.network.clone(),
                index: None,
                problem,
                computed,
            });
        }
    }
}

/// Runs one test. The error says what is not as it should be.
fn run(test: &BlockTest, engine: &mut Engine, computed: &mut Computed) -> Result<(), Problem> {
    let mut tree = start(test)?;
    for (index, stated) in test.blocks.iter().enumerate() {
        let result = match tree.import(engine, &stated.rlp) {
            Ok(hash) => check_valid(stated, hash),
            Err(ImportError::Fault(fault)) => Err(fault),
            Err(ImportError::Rejected(rejection)) => {
                check_rejection(stated, &rejection, || tree.faults(engine, &stated.rlp), computed)
            }
        };
        result.map_err(|problem| format!("block {index} of the list: {problem}"))?;
    }
    finish(test, &tree, computed)?;
    tree.replay(engine).map_or(Ok(()), |difference| Err(difference.into()))
}

fn check_valid(stated: &StatedBlock, hash: B256) -> Result<(), String> {
    match (&stated.exception, stated.header) {
        (Some(exception), _) => Err(format!("it is valid, expected {exception}")),
        (None, Some(header)) if header.hash != hash => {
            Err(format!("its hash is {hash}, expected {}", header.hash))
        }
        (None, _) => Ok(()),
    }
}

/// A block must be refused for the stated reason, or at least break the stated rule besides another that is met earlier.
fn check_rejection(
    stated: &StatedBlock,
    rejection: &Rejection,
    faults: impl FnOnce() -> Result<Vec<Rejection>, String>,
    computed: &mut Computed,
) -> Result<(), String> {
    let Some(exception) = &stated.exception else { return Err(rejection.to_string()) };
    let stands = is_stated(exception, rejection);
    if stands == Ok(true) || faults()?.iter().any(|fault| is_stated(exception, fault) == Ok(true)) {
        return Ok(());
    }
    let name = stands.err().ok_or_else(|| format!("{rejection}; expected {exception}"))?;
    computed.unchecked.push(name.to_owned());
    Ok(())
}

/// The tree of the test's genesis.
fn start(test: &BlockTest) -> Result<Tree, Problem> {
    let chain = network::chain(&test.network, &test.config)?;
    let world =
        World::new(&test.pre).map_err(|address| format!("the nonce of account {address} is too large"))?;
    let rlp = test.genesis_rlp.as_ref().ok_or_else(|| "the test has no genesisRLP".to_owned())?;
    let genesis = decode_block(rlp).map_err(|error| format!("genesisRLP cannot be decoded: {error}"))?;
    let hash = genesis.hash();
    if hash != test.genesis.hash {
        return Err(format!("the hash of the genesis is {hash}, expected {}", test.genesis.hash).into());
    }
    let header = genesis.into_inner().header;
    let root = world.state_root();
    if root != header.state_root {
        return Err(format!("the state root of the genesis is {root}, expected {}", header.state_root).into());
    }
    let chain = chain.with_occupied_addresses(world.occupied_addresses());
    Ok(Tree::new(Arc::new(chain), Sealed::new_unchecked(header, hash), world))
}

/// Compares the chosen branch with what the test expects.
fn finish(test: &BlockTest, tree: &Tree, computed: &mut Computed) -> Result<(), String> {
    let root = tree.head_state().state_root();
    computed.state_root = Some(root);
    if tree.head() != test.last_block_hash {
        return Err(format!("the last block's hash is {}, expected {}", tree.head(), test.last_block_hash));
    }
    match (&test.post_state, test.post_state_hash) {
        (Some(stated), _) => tree.head_state().difference(stated).map_or(Ok(()), Err),
        (None, Some(hash)) if hash == root => Ok(()),
        (None, Some(hash)) => Err(format!("the state root is {root}, expected {hash}")),
        (None, None) => Err("the test says nothing of the state at the end".to_owned()),
    }
}
