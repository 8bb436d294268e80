use crate::failure::Failure;
use alloy_primitives::Address;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::path::PathBuf;
use std::sync::Arc;
use tandem_evm::{ChainSpec, SignedBlock};
use tandem_state::MemoryStore;
use tandem_state::fixture::{self, Loader};

/// Blocks to run and the states they run on.
#[derive(Debug, Default)]
pub(crate) struct Input {
    pub(crate) blocks: Vec<InputBlock>,
    /// Base states. Blocks of one world follow one another.
    pub(crate) worlds: Vec<MemoryStore>,
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
}

/// Reads all blocks below `paths`.
pub(crate) fn load(paths: &[PathBuf], quiet: bool) -> Result<Input, Failure> {
    let directories = fixture::discover(paths).map_err(Failure::input)?;
    let progress = progress(directories.len(), "loading", quiet);
    let mut loader = Loader::new();
    let mut input = Input::default();
    for directory in &directories {
        let fixture = loader.load(directory).map_err(Failure::input)?;
        let chain = ChainSpec::known(fixture.chain_id).map(Arc::new).ok_or_else(|| {
            Failure::Input(format!(
                "{}: chain id {} is unknown; known are 1 (mainnet), 17000 (Holesky) and 11155111 (Sepolia)",
                directory.display(),
                fixture.chain_id
            ))
        })?;
        for field in fixture.inconsistencies() {
            eprintln!("warning: {}: {field} in block.json.gz does not fit the block", directory.display());
        }
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
        });
        input.worlds.push(fixture.state);
        progress.inc(1);
    }
    progress.finish_and_clear();
    Ok(input)
}

/// A progress bar on a terminal, nothing elsewhere.
pub(crate) fn progress(length: usize, what: &'static str, quiet: bool) -> ProgressBar {
    let progress = ProgressBar::new(length as u64).with_message(what);
    if quiet {
        progress.set_draw_target(ProgressDrawTarget::hidden());
    }
    let style = ProgressStyle::with_template("{msg:>10} {wide_bar} {pos}/{len}");
    progress.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}
