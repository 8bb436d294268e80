use super::proof::Proof;
use crate::failure::Failure;
use alloy_primitives::Address;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt::Display;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tandem_chain::Genesis;
use tandem_evm::{ChainSpec, SignedBlock};
use tandem_state::MemoryStore;
use tandem_state::fixture::{self, Loader};

/// How often what cannot be counted shows that it goes on.
const SIGN_OF_LIFE: Duration = Duration::from_millis(100);

/// Blocks to run and the states they run on.
#[derive(Debug, Default)]
pub(crate) struct Input {
    pub(crate) blocks: Vec<InputBlock>,
    /// Base states. Blocks of one world follow one another.
    pub(crate) worlds: Vec<MemoryStore>,
    /// Whether the only base state is known in full, not just what its blocks read.
    pub(crate) complete: bool,
}

/// One block to run.
#[derive(Debug)]
pub(crate) struct InputBlock {
    /// How messages name it.
    pub(crate) name: String,
    pub(crate) signed: SignedBlock,
    /// The senders as the source states them.
    pub(crate) expected_senders: Vec<Address>,
    /// Index of its base state.
    pub(crate) world: usize,
    /// What proves the state before the block.
    pub(crate) proof: Option<Proof>,
}

/// Reads all blocks below `paths`; with `prove` what proves their states, too.
pub(crate) fn load(paths: &[PathBuf], prove: bool, quiet: bool) -> Result<Input, Failure> {
    let directories = fixture::discover(paths).map_err(Failure::input)?;
    let progress = progress(directories.len(), "loading", quiet);
    let mut loader = Loader::new();
    let mut rules = Rules::default();
    let mut input = Input::default();
    for directory in &directories {
        let fixture = loader.load(directory).map_err(Failure::input)?;
        let chain = rules.of(directory, fixture.chain_id)?;
        for field in fixture.inconsistencies() {
            eprintln!("warning: {}: {field} in block.json.gz does not fit the block", directory.display());
        }
        let proof = if prove { Proof::load(&fixture)? } else { None };
        input.blocks.push(InputBlock {
            name: fixture.name,
            signed: SignedBlock {
                chain,
                header: fixture.header,
                transactions: fixture.transactions,
                ommers: Vec::new(),
                withdrawals: fixture.withdrawals.unwrap_or_default(),
            },
            expected_senders: fixture.expected_senders,
            world: input.worlds.len(),
            proof,
        });
        input.worlds.push(fixture.state);
        progress.inc(1);
    }
    progress.finish_and_clear();
    Ok(input)
}

/// The rules of the chains that blocks belong to, each read once.
#[derive(Default)]
pub(crate) struct Rules(HashMap<PathBuf, Arc<ChainSpec>>);

impl Rules {
    /// The rules for a block: those of the `genesis.json` in the folder above its directory, else those that its chain
    /// id is known for.
    pub(crate) fn of(&mut self, directory: &Path, chain_id: u64) -> Result<Arc<ChainSpec>, Failure> {
        let genesis = directory.join("..").join("genesis.json");
        if genesis.exists() {
            let genesis = genesis.canonicalize().unwrap_or(genesis);
            let chain = match self.0.entry(genesis) {
                Entry::Occupied(entry) => entry.into_mut(),
                Entry::Vacant(entry) => {
                    let chain = read_rules(entry.key())?;
                    entry.insert(Arc::new(chain))
                }
            };
            if chain.chain_id() != chain_id {
                return Err(Failure::Input(format!(
                    "{}: the chain id in genesis.json beside it is {}",
                    directory.display(),
                    chain.chain_id()
                )));
            }
            return Ok(chain.clone());
        }
        ChainSpec::known(chain_id).map(Arc::new).ok_or_else(|| {
            Failure::Input(format!(
                "{}: chain id {chain_id} is unknown; known are 1 (mainnet), 17000 (Holesky) and 11155111 (Sepolia), \
                 others need a genesis.json in the folder above",
                directory.display(),
            ))
        })
    }
}

fn read_rules(path: &Path) -> Result<ChainSpec, Failure> {
    let named = |error: &dyn Display| Failure::Input(format!("{}: {error}", path.display()));
    let file = File::open(path).map_err(|error| named(&error))?;
    let genesis = Genesis::read(file).map_err(|error| named(&error))?;
    Ok(genesis.chain().clone())
}

/// A progress bar on a terminal, nothing elsewhere.
pub(crate) fn progress(length: usize, what: &'static str, quiet: bool) -> ProgressBar {
    shown(ProgressBar::new(length as u64), what, "{msg:>10} {wide_bar} {pos}/{len}", quiet)
}

/// A sign of life on a terminal, nothing elsewhere, for what cannot be counted.
pub(crate) fn busy(what: &'static str, quiet: bool) -> ProgressBar {
    let bar = shown(ProgressBar::new_spinner(), what, "{msg:>10} {spinner} {elapsed}", quiet);
    if !bar.is_hidden() {
        bar.enable_steady_tick(SIGN_OF_LIFE);
    }
    bar
}

fn shown(bar: ProgressBar, what: &'static str, template: &str, quiet: bool) -> ProgressBar {
    if quiet {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    bar.with_style(style).with_message(what)
}
