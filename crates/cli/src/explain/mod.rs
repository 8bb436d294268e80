//! `tandem explain`: what limits the parallel execution of blocks.

mod analysis;
mod args;
mod blocks;
mod findings;
mod html;
mod output;
mod parquet;
mod report;
mod study;
mod timeline;

pub(crate) use args::{ExplainArgs, StudyArgs};
pub(crate) use study::{StudySettings, study_blocks};

use crate::failure::Failure;
use crate::output::complain;
use crate::run::{busy, progress};
use analysis::Analysis;
use blocks::Blocks;
use findings::Findings;
use output::{Output, Written};
use std::path::PathBuf;
use tandem_analysis::{ActualRun, Graph, Model, TraceError, compare_paths, record};
use tandem_evm::Config;

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
    html: Option<PathBuf>,
    trace: Option<PathBuf>,
    parquet: Option<PathBuf>,
    json: bool,
}

impl Settings {
    pub(crate) fn new(args: ExplainArgs) -> Result<Self, Failure> {
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
            html: args.html,
            trace: args.trace,
            parquet: args.parquet,
            json: args.json,
        })
    }
}

/// Checks that a number is not zero.
fn positive(option: &str, value: usize) -> Result<usize, Failure> {
    match value {
        0 => Err(Failure::Input(format!("--{option} must be at least 1"))),
        _ => Ok(value),
    }
}

impl From<TraceError> for Failure {
    fn from(error: TraceError) -> Self {
        match error {
            TraceError::Invalid(message) => {
                complain!("error: {message}");
                Self::Check
            }
            TraceError::Unsupported(message) => Self::Input(message),
            TraceError::Fault(message) => Self::Fault(message),
        }
    }
}

pub(crate) fn explain(settings: &Settings) -> Result<(), Failure> {
    // Before the work, so that nobody waits for what cannot be kept.
    let html = settings.html.as_deref().map(Output::new).transpose()?;
    let timeline = settings.trace.as_deref().map(Output::new).transpose()?;
    let tables = settings.parquet.as_deref().map(parquet::Tables::new).transpose()?;
    let blocks = Blocks::load(&settings.paths, settings.from, settings.json)?;
    let inputs = blocks.inputs();
    let bar = progress(inputs.len() * (settings.repeat + 1), "executing", settings.json);
    let mut trace = record(&inputs, settings.repeat, &|| bar.inc(1))?;
    bar.finish_and_clear();
    let graph = Graph::new(&trace, Model::Delta);
    let dependent = graph.dependent(&trace);
    let bar = progress(dependent.len(), "comparing paths", settings.json);
    compare_paths(&mut trace, &inputs, &dependent, &|| bar.inc(1))?;
    bar.finish_and_clear();
    let bar = busy("running", settings.json);
    let run = ActualRun::new(&settings.config, &inputs)?;
    bar.finish_and_clear();
    let bar = progress(Analysis::effort(settings) + Findings::EFFORT, "analysing", settings.json);
    let analysis =
        Analysis::new(settings, &trace, &graph, &dependent, &run, &|| bar.inc(1)).map_err(Failure::fault)?;
    let findings = Findings::new(settings, &analysis, &|| bar.inc(1));
    bar.finish_and_clear();
    let mut written = Vec::new();
    if let Some(output) = &timeline {
        written.push(output.write(|out| timeline::write(out, &trace, &run))?);
    }
    if let Some(output) = &html {
        written.push(output.write(|out| html::write(out, settings, &analysis, &findings))?);
    }
    if let Some(tables) = &tables {
        written.extend(tables.write(&analysis)?);
    }
    // All of them or none.
    written.into_iter().try_for_each(Written::keep)?;
    report::report(settings, &findings)
}
