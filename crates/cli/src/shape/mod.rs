//! `tandem shape`: what decides how far blocks run in parallel, recorded and generated ones side by side.

mod args;
mod report;

pub(crate) use args::ShapeArgs;

use crate::shared::builder::Builder;
use crate::shared::failure::Failure;
use crate::shared::load::load_executable;
use crate::shared::output::complain;
use crate::shared::progress::progress;
use report::{Column, Report};
use std::path::PathBuf;
use std::sync::Arc;
use tandem_analysis::{Input, Shape};
use tandem_evm::{Config, Executor};
use tandem_workload::{ChainConfig, Workload};

/// What is generated unless told.
const WORKLOAD: Workload = Workload::Mainnet;

/// What the arguments mean.
#[derive(Debug)]
struct Settings {
    paths: Vec<PathBuf>,
    from: u64,
    /// The chain to generate, if any.
    chain: Option<ChainConfig>,
    /// In per cent.
    tolerance: Option<f64>,
    json: bool,
}

impl Settings {
    fn new(args: ShapeArgs) -> Result<Self, Failure> {
        if let Some(tolerance) = args.tolerance
            && !(0.0..=1e6).contains(&tolerance)
        {
            return Err(Failure::Input(format!(
                "--tolerance must be between 0 and 1000000 per cent, not {tolerance}"
            )));
        }
        let chain = if args.alone { None } else { Some(args.chain.config(WORKLOAD)?) };
        Ok(Self { paths: args.paths, from: args.from, chain, tolerance: args.tolerance, json: args.json })
    }
}

pub(crate) fn shape(args: ShapeArgs) -> Result<(), Failure> {
    let settings = &Settings::new(args)?;
    let mut columns = Vec::new();
    if !settings.paths.is_empty() {
        columns.push(Column { name: "recorded".to_owned(), shapes: recorded(settings)? });
    }
    if let Some(config) = &settings.chain {
        columns.push(Column { name: config.workload.to_string(), shapes: generated(settings, config)? });
    }
    let report = Report::new(&columns, settings.tolerance);
    report.print(settings.json)?;
    if report.is_within() { Ok(()) } else { Err(Failure::Check) }
}

/// Measures recorded blocks, each on its own state.
fn recorded(settings: &Settings) -> Result<Vec<Shape>, Failure> {
    let input = load_executable(&settings.paths, settings.json)?;
    let bar = progress(input.blocks.len(), "measuring", settings.json);
    let mut shapes = Vec::new();
    for block in input.blocks {
        bar.inc(1);
        if block.signed.header.number < settings.from {
            continue;
        }
        let recovered = block.signed.recover().map_err(|error| {
            complain!("error: {}: {error}", block.name);
            Failure::Check
        })?;
        let store = &input.worlds[block.world];
        shapes.push(Shape::measure(&Input { name: block.name, block: Arc::new(recovered), store })?);
    }
    bar.finish_and_clear();
    if shapes.is_empty() {
        return Err(Failure::Input(format!("no block has a number of at least {}", settings.from)));
    }
    Ok(shapes)
}

/// Generates a chain and measures its blocks.
fn generated(settings: &Settings, config: &ChainConfig) -> Result<Vec<Shape>, Failure> {
    let executor = Executor::new(&Config::default()).map_err(Failure::input)?;
    let mut builder = Builder::new(&executor, config, |_| {})?;
    let bar = progress(config.blocks, "generating", settings.json);
    let mut shapes = Vec::with_capacity(config.blocks);
    for _ in 0..config.blocks {
        let built = builder.build()?;
        let name = format!("generated block {}", built.sealed.number);
        let block = Arc::new(built.block.clone());
        shapes.push(Shape::measure(&Input { name, block, store: builder.state() })?);
        builder.advance(&built);
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(shapes)
}
