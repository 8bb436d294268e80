//! `tandem explain`: the limits of the parallel execution of blocks.

mod analysis;
mod args;
mod findings;
mod html;
mod output;
mod parquet;
mod report;
mod settings;
mod timeline;

pub(crate) use args::ExplainArgs;

use crate::shared::blocks::Blocks;
use crate::shared::failure::Failure;
use crate::shared::progress::{busy, progress};
use analysis::Analysis;
use findings::Findings;
use output::{Output, Written};
use settings::Settings;
use tandem_analysis::{ActualRun, Graph, Model, compare_paths, record};

pub(crate) fn explain(args: ExplainArgs) -> Result<(), Failure> {
    let settings = Settings::new(args)?;
    // Before the work, so that no time is spent on results that cannot be kept.
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
    let bar = progress(Analysis::effort(&settings) + Findings::EFFORT, "analysing", settings.json);
    let analysis =
        Analysis::new(&settings, &trace, &graph, &dependent, &run, &|| bar.inc(1)).map_err(Failure::fault)?;
    let findings = Findings::new(&settings, &analysis, &|| bar.inc(1));
    bar.finish_and_clear();
    let mut written = Vec::new();
    if let Some(output) = &timeline {
        written.push(output.write(|out| timeline::write(out, &trace, &run))?);
    }
    if let Some(output) = &html {
        written.push(output.write(|out| html::write(out, &settings, &analysis, &findings))?);
    }
    if let Some(tables) = &tables {
        written.extend(tables.write(&analysis)?);
    }
    // All of them or none.
    written.into_iter().try_for_each(Written::keep)?;
    report::report(&settings, &findings)
}
