//! `tandem explain`: what limits the parallel execution of blocks.

mod args;
mod findings;
mod report;
mod study;
mod timeline;

pub(crate) use args::{ExplainArgs, StudyArgs};
pub(crate) use study::study_blocks;

use crate::failure::Failure;
use crate::run::{load, progress};
use findings::Findings;
use std::path::PathBuf;
use std::sync::Arc;
use tandem_analysis::{ActualRun, Graph, Input, Model, TraceError, compare_paths, record};
use tandem_evm::Config;
use tandem_state::MemoryStore;

/// What the arguments mean.
#[derive(Debug)]
pub(crate) struct Settings {
    paths: Vec<PathBuf>,
    from: u64,
    config: Config,
    threads: usize,
    ideal: usize,
    repeat: usize,
    look_ahead: usize,
    top: usize,
    trace: Option<PathBuf>,
    json: bool,
}

impl Settings {
    pub(crate) fn new(args: ExplainArgs) -> Result<Self, Failure> {
        let positive = |option: &str, value: usize| match value {
            0 => Err(Failure::Input(format!("--{option} must be at least 1"))),
            _ => Ok(value),
        };
        let threads = match args.threads {
            Some(threads) => positive("threads", threads)?,
            None => std::thread::available_parallelism().map_or(1, |n| n.get()),
        };
        Ok(Self {
            paths: args.paths,
            from: args.from,
            config: Config::default().threads(threads),
            threads,
            ideal: positive("ideal", args.ideal)?,
            repeat: positive("repeat", args.repeat)?,
            look_ahead: positive("look-ahead", args.look_ahead)?,
            top: args.top,
            trace: args.trace,
            json: args.json,
        })
    }
}

impl TryFrom<StudyArgs> for Settings {
    type Error = Failure;

    fn try_from(args: StudyArgs) -> Result<Self, Failure> {
        let StudyArgs { paths, from, repeat, json } = args;
        let (threads, trace) = (Some(1), None);
        let (ideal, top, look_ahead) = (1, 0, 1);
        Self::new(ExplainArgs { paths, from, threads, ideal, repeat, look_ahead, top, trace, json })
    }
}

impl From<TraceError> for Failure {
    fn from(error: TraceError) -> Self {
        match error {
            TraceError::Invalid(message) => {
                eprintln!("error: {message}");
                Self::Check
            }
            TraceError::Fault(message) => Self::Fault(message),
        }
    }
}

pub(crate) fn explain(settings: &Settings) -> Result<(), Failure> {
    let blocks = Blocks::load(settings)?;
    let inputs = blocks.inputs();
    let bar = progress(inputs.len() * (settings.repeat + 1), "executing", settings.json);
    let mut trace = record(&inputs, settings.repeat, &|| bar.inc(1))?;
    bar.finish_and_clear();
    let graph = Graph::new(&trace, Model::Delta);
    let dependent = graph.dependent(&trace);
    compare_paths(&mut trace, &inputs, &dependent)?;
    let run = ActualRun::new(&settings.config, &inputs)?;
    if let Some(path) = &settings.trace {
        timeline::write(path, &trace, &run)?;
    }
    let findings = Findings::new(settings, &trace, &graph, &dependent, &run).map_err(Failure::fault)?;
    report::report(settings, &findings)
}

/// Blocks with their senders, and their states.
struct Blocks {
    names: Vec<String>,
    blocks: Vec<Arc<tandem_evm::Block>>,
    states: Vec<MemoryStore>,
}

impl Blocks {
    fn load(settings: &Settings) -> Result<Self, Failure> {
        let input = load(&settings.paths, false, settings.json)?;
        let (mut names, mut blocks, mut states) = (Vec::new(), Vec::new(), Vec::new());
        for (block, state) in input.blocks.into_iter().zip(input.worlds) {
            if block.signed.header.number < settings.from {
                continue;
            }
            let recovered = block.signed.recover().map_err(|error| {
                eprintln!("error: {}: {error}", block.name);
                Failure::Check
            })?;
            names.push(block.name);
            blocks.push(Arc::new(recovered));
            states.push(state);
        }
        if blocks.is_empty() {
            return Err(Failure::Input(format!("no block has a number of at least {}", settings.from)));
        }
        Ok(Self { names, blocks, states })
    }

    fn inputs(&self) -> Vec<Input<'_, MemoryStore>> {
        let blocks = self.names.iter().zip(&self.blocks).zip(&self.states);
        blocks
            .map(|((name, block), store)| Input { name: name.clone(), block: block.clone(), store })
            .collect()
    }
}
