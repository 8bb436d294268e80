use super::args::Case;
use super::settings::Settings;
use crate::shared::failure::Failure;
use crate::shared::generated::generate;
use crate::shared::input::Input;
use crate::shared::load::load_executable;
use crate::shared::progress::progress;
use crate::shared::source::Source;
use std::path::PathBuf;
use tandem_evm::{Config, Executor};
use tandem_state::MemoryStore;
use tandem_workload::ChainConfig;

/// Blocks that are executed together, one after the other.
pub(crate) struct BlockSet {
    /// The workload; `None` if each block is a case of its own.
    pub(crate) case: Option<String>,
    pub(crate) names: Vec<String>,
    pub(crate) source: Source,
    pub(crate) worlds: Vec<MemoryStore>,
    /// Which world each block belongs to.
    pub(crate) chains: Vec<usize>,
}

impl BlockSet {
    /// What the settings name: recorded blocks, or generated workloads.
    pub(crate) fn all(settings: &Settings) -> Result<Vec<Self>, Failure> {
        if !settings.paths.is_empty() {
            return Ok(vec![Self::recorded(&settings.paths, settings.from, settings.json)?]);
        }
        let bar = progress(settings.cases.len(), "generating", settings.json);
        let generate = |case: &Case| {
            let set = Self::generated(case, &settings.chain);
            bar.inc(1);
            set
        };
        let sets = settings.cases.iter().map(generate).collect();
        bar.finish_and_clear();
        sets
    }

    /// Recorded blocks, each a case.
    ///
    /// Those with a number below `from` are left out.
    fn recorded(paths: &[PathBuf], from: u64, quiet: bool) -> Result<Self, Failure> {
        let mut input = load_executable(paths, quiet)?;
        input.blocks.retain(|block| block.signed.header.number >= from);
        Self::new(None, &executor()?, input, quiet)
    }

    /// A generated chain: one case. Shows no progress of its own.
    fn generated(case: &Case, chain: &ChainConfig) -> Result<Self, Failure> {
        let config = case.config(chain)?;
        let executor = executor()?;
        Self::new(Some(case.name()), &executor, generate(&executor, &config, true)?, true)
    }

    /// Recovers all senders, so that only execution is measured.
    fn new(case: Option<String>, executor: &Executor, input: Input, quiet: bool) -> Result<Self, Failure> {
        let Input { blocks, worlds, .. } = input;
        if blocks.is_empty() {
            return Err(Failure::input("there are no blocks to measure: --from may be too high"));
        }
        let chains = blocks.iter().map(|block| block.world).collect();
        let (names, signed) = blocks.into_iter().map(|block| (block.name, block.signed)).unzip();
        let source = Source::recovered(executor, signed, quiet);
        Ok(Self { case, names, source, worlds, chains })
    }
}

/// Threads for work before the measurement.
pub(super) fn executor() -> Result<Executor, Failure> {
    Executor::new(&Config::default()).map_err(Failure::input)
}
