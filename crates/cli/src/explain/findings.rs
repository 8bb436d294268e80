use super::analysis::Analysis;
use super::settings::Settings;
use serde::Serialize;
use std::time::Duration;
use tandem_analysis::{
    ActualRun, Graph, Hotspot, Model, Names, Trace, as_stream, by_block, letters, speed_up,
};

/// Threads for which ideal speed-ups are told.
pub(super) const THREADS: [usize; 7] = [1, 2, 4, 8, 16, 32, 64];
/// As many threads as there can be work for.
const UNLIMITED: usize = usize::MAX / 2;
/// Columns of a worker's timeline.
const COLUMNS: usize = 72;

/// The report's content.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Findings {
    pub(super) blocks: usize,
    pub(super) transactions: usize,
    pub(super) sequential_ms: f64,
    /// Transactions that need an earlier step of their block.
    pub(super) dependent: usize,
    /// Those of them that take the same path on the state before their block.
    pub(super) keep_path: usize,
    pub(super) block_by_block: Vec<Curve>,
    pub(super) stream: Vec<Curve>,
    pub(super) locations: Vec<HotspotRow>,
    pub(super) contracts: Vec<HotspotRow>,
    pub(super) together: Vec<Together>,
    pub(super) chain: Chain,
    pub(super) run: ExecutionSummary,
}

/// Ideal speed-ups of one model.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Curve {
    pub(super) model: &'static str,
    /// For as many threads as [`THREADS`] says.
    pub(super) speed_up: Vec<f64>,
    pub(super) unlimited: f64,
}

/// A hot location, or a contract with all its locations.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct HotspotRow {
    pub(super) name: String,
    pub(super) conflicts: usize,
    pub(super) blocks: usize,
    /// How many times as fast these blocks would run without these conflicts.
    pub(super) gain: f64,
    pub(super) saved_ms: f64,
}

/// The gain if several contracts did not conflict: this one and those before.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Together {
    pub(super) name: String,
    /// How many times as fast all blocks would run.
    pub(super) gain: f64,
    /// How many times as fast as one by one that is.
    pub(super) speed_up: f64,
}

/// The longest chain of any block.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Chain {
    #[serde(skip)]
    pub(super) index: usize,
    pub(super) block: String,
    pub(super) ms: f64,
    pub(super) block_ms: f64,
    pub(super) links: Vec<Link>,
}

/// A step of a chain.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Link {
    pub(super) step: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) hash: Option<String>,
    pub(super) ms: f64,
    /// Its need of the step before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) by: Option<String>,
}

/// The record of an actual run.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ExecutionSummary {
    pub(super) ms: f64,
    pub(super) speed_up: f64,
    pub(super) conflicts: u64,
    pub(super) repairs: u64,
    pub(super) reexecutions: u64,
    pub(super) waits: u64,
    pub(super) workers: Vec<Worker>,
}

/// The work of one worker.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Worker {
    pub(super) speculative: usize,
    pub(super) frontier: usize,
    pub(super) again: usize,
    pub(super) conflicts: usize,
    pub(super) repairs: usize,
    /// Share of the run's time in which it executed.
    pub(super) busy: f64,
    pub(super) waited_ms: f64,
    pub(super) timeline: String,
}

fn ms(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e6).round() / 1e3
}

/// A ratio with as many places as it is worth.
fn rounded(ratio: f64) -> f64 {
    (ratio * 100.0).round() / 100.0
}

impl Findings {
    /// How often [`Findings::new`] calls `progress`.
    pub(super) const EFFORT: usize = 2 * Model::ALL.len();

    pub(super) fn new(settings: &Settings, analysis: &Analysis<'_>, progress: &dyn Fn()) -> Self {
        let Analysis { trace, graph, dependent, .. } = *analysis;
        let graphs: Vec<_> = Model::ALL.iter().map(|model| (*model, Graph::new(trace, *model))).collect();
        let curves = |time: &dyn Fn(&Graph, Model, usize) -> Duration| {
            let curve = |(model, graph): &(Model, Graph)| {
                let speed = |threads| rounded(speed_up(trace.time(), time(graph, *model, threads)));
                let speed_up = THREADS.iter().map(|threads| speed(*threads)).collect();
                let curve = Curve { model: model.name(), speed_up, unlimited: speed(UNLIMITED) };
                progress();
                curve
            };
            graphs.iter().map(curve).collect()
        };
        let together = analysis.together.iter().map(|together| Together {
            name: analysis.names.account(together.key),
            gain: rounded(together.gain),
            speed_up: rounded(together.speed_up),
        });
        Self {
            blocks: trace.blocks.len(),
            transactions: trace.transactions(),
            sequential_ms: ms(trace.time()),
            dependent: dependent.len(),
            keep_path: dependent.iter().filter(|step| trace.steps[**step].keeps_path).count(),
            block_by_block: curves(&|graph, model, threads| by_block(trace, graph, model, threads)),
            stream: curves(&|graph, model, threads| {
                as_stream(trace, graph, model, threads, settings.look_ahead)
            }),
            locations: hotspots(&analysis.state_keys, |key| analysis.names.state_key(key)),
            contracts: hotspots(&analysis.contracts, |address| analysis.names.account(address)),
            together: together.collect(),
            chain: chain(trace, graph, &analysis.names),
            run: actual(trace, analysis.run),
        }
    }
}

fn hotspots<K: Copy>(hot: &[Hotspot<K>], name: impl Fn(K) -> String) -> Vec<HotspotRow> {
    let row = |hot: &Hotspot<K>| HotspotRow {
        name: name(hot.key),
        conflicts: hot.conflicts,
        blocks: hot.blocks.len(),
        gain: rounded(hot.gain),
        saved_ms: ms(hot.saved),
    };
    hot.iter().map(row).collect()
}

/// The chain of several steps that takes longest.
fn chain(trace: &Trace, graph: &Graph, names: &Names) -> Chain {
    let chains = trace
        .blocks
        .iter()
        .enumerate()
        .map(|(index, block)| (index, graph.longest_chain(trace, block.steps.clone())));
    let time =
        |chain: &[(usize, _)]| -> Duration { chain.iter().map(|(step, _)| trace.steps[*step].time).sum() };
    let longest = chains.max_by_key(|(_, chain)| (chain.len() > 1, time(chain)));
    let Some((index, chain)) = longest else {
        return Chain { index: 0, block: String::new(), ms: 0.0, block_ms: 0.0, links: Vec::new() };
    };
    let block = &trace.blocks[index];
    let links = chain.iter().map(|(step, edge)| Link {
        step: trace.step_name(*step),
        hash: trace.steps[*step].transaction.as_ref().map(|transaction| transaction.hash.to_string()),
        ms: ms(trace.steps[*step].time),
        by: edge.map(|edge| names.state_key(trace.location(edge.location).into())),
    });
    let block_time = block.steps.clone().map(|step| trace.steps[step].time).sum();
    Chain {
        index,
        block: block.name.clone(),
        ms: ms(time(&chain)),
        block_ms: ms(block_time),
        links: links.collect(),
    }
}

fn actual(trace: &Trace, run: &ActualRun) -> ExecutionSummary {
    let ActualRun { time, metrics } = run;
    let workers = run.workers().into_iter().zip(&metrics.timelines).map(|(worker, timeline)| Worker {
        speculative: worker.speculative,
        frontier: worker.frontier,
        again: worker.again,
        conflicts: worker.conflicts,
        repairs: worker.repairs,
        busy: rounded(worker.busy.as_secs_f64() / time.as_secs_f64().max(1e-9)),
        waited_ms: ms(worker.waited),
        timeline: letters(timeline, *time, COLUMNS),
    });
    ExecutionSummary {
        ms: ms(*time),
        speed_up: rounded(speed_up(trace.time(), *time)),
        conflicts: metrics.conflicts,
        repairs: metrics.repairs,
        reexecutions: metrics.reexecutions,
        waits: metrics.waits,
        workers: workers.collect(),
    }
}
