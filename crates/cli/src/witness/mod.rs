//! `tandem witness`: execute blocks on what their witnesses prove, and nothing else.

mod args;

pub(crate) use args::WitnessArgs;

use crate::run::{Check, Facts, Outcome, Row, RunArgs, Senders, Settings, Stop, Wanted, report, row};
use crate::shared::digest::run_digest;
use crate::shared::executed::{ExecutedBlock, Output};
use crate::shared::failure::Failure;
use crate::shared::input::PreState;
use crate::shared::load::{signed, unusable};
use crate::shared::mode::Mode;
use crate::shared::progress::progress;
use crate::shared::proof::Proof;
use crate::shared::rules::Rules;
use std::path::Path;
use std::time::{Duration, Instant};
use tandem_evm::{ExecutionError, Executor, Metrics, SignedBlock, StoreRef};
use tandem_state::fixture::{Fixture, Loader, discover};
use tandem_state::trie::WitnessStore;

/// The arguments' meaning, as settings of `tandem run`.
fn settings(args: WitnessArgs) -> Result<Settings, Failure> {
    let WitnessArgs { paths, threads, json } = args;
    let (mode, check, senders) = (Mode::Stream, Check::All, Senders::Before);
    let (unproven, alloy, window, repeat, counters) = (false, false, None, 1, false);
    Settings::new(RunArgs {
        paths,
        threads,
        mode,
        unproven,
        check,
        alloy,
        senders,
        window,
        repeat,
        json,
        counters,
    })
}

pub(crate) fn witness(args: WitnessArgs) -> Result<(), Failure> {
    let settings = settings(args)?;
    let executor = Executor::new(&settings.config).map_err(Failure::input)?;
    let directories = discover(&settings.paths).map_err(Failure::input)?;
    let bar = progress(directories.len(), "executing", settings.json);
    let (mut loader, mut rules) = (Loader::new(), Rules::default());
    let (mut rows, mut digests): (Vec<Row>, Vec<_>) = (Vec::new(), Vec::new());
    let (mut recovery, mut metrics) = (Duration::ZERO, Metrics::default());
    for directory in &directories {
        let block = Stateless::load(directory, &mut loader, &mut rules)?;
        let (row, digest) = block.run(&executor, &mut recovery, &mut metrics)?;
        rows.push(row);
        digests.push(digest);
        bar.inc(1);
    }
    bar.finish_and_clear();
    let time = rows.iter().map(|row| row.time).sum();
    let (digest, recovery) = (run_digest(&digests), Some(recovery));
    report(
        &settings,
        &Outcome { rows, time, recovery, metrics, digest, by_alloy: None, spread: (time, time) },
    )
}

/// Only proven values count.
const PROVEN: Option<Wanted> = Some(Wanted { unproven: false, must_prove: true });

/// A block and the state that its witness proves.
struct Stateless {
    facts: Facts,
    signed: SignedBlock,
    store: WitnessStore,
}

impl Stateless {
    fn load(directory: &Path, loader: &mut Loader, rules: &mut Rules) -> Result<Self, Failure> {
        let mut fixture = loader.load(directory).map_err(Failure::input)?;
        let chain = rules.of(directory, fixture.chain_id)?;
        let Some(proof) = Proof::load(&fixture)? else {
            return Err(Failure::Input(format!(
                "{}: the block has no witness.json.gz; `tandem run` executes it on its pre-state",
                directory.display()
            )));
        };
        if !proof.witness().proves_parent_state_root() {
            let error = "it has no header of the block's parent, so that nothing ties its root to the block";
            return Err(unusable(directory, &error));
        }
        let chain = proof.tell_occupied(chain).map_err(|error| unusable(directory, &error))?;
        let store = WitnessStore::new(proof.witness().clone(), fixture.state.codes().clone());
        let pre_state = PreState { listed: None, lacks_ommers: fixture.lacks_ommers() };
        let signed = signed(directory, &mut fixture, chain)?;
        let Fixture { name, expected_senders, .. } = fixture;
        Ok(Self { facts: Facts::new(name, &signed, expected_senders, Some(proof), pre_state), signed, store })
    }

    fn run(
        self,
        executor: &Executor,
        recovery: &mut Duration,
        metrics: &mut Metrics,
    ) -> Result<(Row, alloy_primitives::B256), Failure> {
        let Self { facts, signed, store } = self;
        let start = Instant::now();
        let block = match executor.background().run(|| signed.recover()) {
            Ok(block) => block,
            Err(error) => return Ok(row(PROVEN, &facts, Err(Stop::Invalid(error.to_string())), None)),
        };
        *recovery += start.elapsed();
        let start = Instant::now();
        let (result, counters) = executor.call(&StoreRef(&store), block).run_counted();
        let time = start.elapsed();
        metrics.merge(&counters);
        let result = match result {
            Ok(finished) => {
                let history = finished.history;
                Ok(ExecutedBlock { output: Output::from(finished), time, history })
            }
            Err(ExecutionError::Fault { error, .. }) => {
                Err(Stop::Unchecked(format!("it cannot be executed statelessly: {error}")))
            }
            Err(
                error @ (ExecutionError::NoCode { .. }
                | ExecutionError::Order { .. }
                | ExecutionError::Internal(_)),
            ) => {
                return Err(Failure::fault(error));
            }
            Err(error @ ExecutionError::Fork { .. }) => return Err(Failure::input(error)),
            Err(error) => Err(Stop::Invalid(error.to_string())),
        };
        Ok(row(PROVEN, &facts, result, None))
    }
}
