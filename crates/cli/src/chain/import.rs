use super::args::{DataArgs, ImportArgs};
use super::open::{import_failure, open, open_existing};
use crate::shared::failure::Failure;
use crate::shared::output::say;
use crate::shared::process::peak_memory;
use crate::shared::progress::{busy, progress};
use serde::Serialize;
use std::fs::File;
use std::path::Path;
use std::time::Duration;
use tandem_chain::Genesis;
use tandem_chain::import::{ImportOptions, ImportReport, Imported, StageTimes, import, initialize};
use tandem_evm::{Config, Executor};
use tandem_state::cache::HitCount;
use tandem_state::database::{Database, Head};

/// Upper bounds; far above any use, they catch typing errors.
const MAX_AHEAD: usize = 1 << 16;
const MAX_PREFETCH: usize = 256;

/// The report of an import, as JSON.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Summary {
    blocks: u64,
    known: u64,
    txs: u64,
    gas: u64,
    ms: f64,
    genesis_ms: f64,
    threads: usize,
    one_by_one: bool,
    stage_ms: StageMs,
    cache_hit_rate: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    peak_memory: Option<u64>,
    head: HeadLine,
}

/// Busy time per stage, as JSON.
#[derive(Serialize)]
struct StageMs {
    read: f64,
    recover: f64,
    prefetch: f64,
    execute: f64,
    roots: f64,
    commit: f64,
    /// The part of `commit` that is writing to the disk.
    flush: f64,
}

/// The last block, as JSON.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct HeadLine {
    number: u64,
    hash: String,
    state_root: String,
}

impl From<Head> for HeadLine {
    fn from(head: Head) -> Self {
        Self { number: head.number, hash: head.hash.to_string(), state_root: head.state_root.to_string() }
    }
}

pub(crate) fn run(args: ImportArgs) -> Result<(), Failure> {
    let options = options(&args)?;
    let json = args.data.json;
    for file in &args.files {
        if !file.exists() {
            return Err(Failure::Input(format!("{}: there is no such file", file.display())));
        }
    }
    let genesis = args.genesis.as_deref().map(read_genesis).transpose()?;
    let (database, genesis_time) = match genesis {
        Some(genesis) => load_genesis(&args.data, genesis, options.threads)?,
        None => (open_existing(&args.data)?, Duration::ZERO),
    };
    let bar = progress(0, "importing", json);
    bar.set_length(0);
    let show = |block: Imported| {
        bar.inc_length(1);
        bar.inc(1);
        bar.set_message(format!("block {}", block.number));
    };
    let (report, result) = import(&database, args.files, &options, &show);
    bar.finish_and_clear();
    let head = database.head().ok().flatten();
    if let Some(head) = head {
        print(&report, head, &options, genesis_time, json);
    }
    result.map_err(|error| import_failure(&error))
}

fn options(args: &ImportArgs) -> Result<ImportOptions, Failure> {
    let mut options = ImportOptions { serial: args.one_by_one, ..ImportOptions::default() };
    let at_least_one = |name: &str, value: Option<usize>, default: usize| match value {
        Some(0) => Err(Failure::Input(format!("{name} must be at least 1"))),
        value => Ok(value.unwrap_or(default)),
    };
    options.threads = at_least_one("--threads", args.threads, options.threads)?;
    options.ahead = at_least_one("--ahead", args.ahead, options.ahead)?;
    let mib = at_least_one("--ahead-memory", args.ahead_memory, options.ahead_bytes >> 20)?;
    options.ahead_bytes = mib.saturating_mul(1 << 20);
    options.segment = at_least_one("--segment", args.segment, options.segment)?;
    options.batch_leaves = at_least_one("--batch-leaves", args.batch_leaves, options.batch_leaves)?;
    options.batch_blocks = at_least_one("--batch", args.batch, options.batch_blocks)?;
    options.prefetch = args.prefetch.unwrap_or(options.prefetch);
    for (name, value, most) in
        [("--ahead", options.ahead, MAX_AHEAD), ("--prefetch", options.prefetch, MAX_PREFETCH)]
    {
        if value > most {
            return Err(Failure::Input(format!("{name} must be at most {most}, not {value}")));
        }
    }
    options.trie_nodes = args.trie_nodes.unwrap_or(options.trie_nodes);
    options.cache_bytes = args.cache.map_or(options.cache_bytes, |mib| mib.saturating_mul(1 << 20));
    if options.serial {
        options.threads = 1;
    }
    Ok(options)
}

fn read_genesis(path: &Path) -> Result<Genesis, Failure> {
    let named = |error: &dyn std::fmt::Display| Failure::Input(format!("{}: {error}", path.display()));
    let file = File::open(path).map_err(|error| named(&error))?;
    Genesis::read(file).map_err(|error| named(&error))
}

/// Opens a database that this genesis is in, or into which it is loaded.
fn load_genesis(data: &DataArgs, genesis: Genesis, threads: usize) -> Result<(Database, Duration), Failure> {
    // Settings that cannot be used leave no directory behind.
    let executor = Executor::new(&Config::default().threads(threads)).map_err(Failure::input)?;
    let database = open(data, true)?;
    let bar = busy("genesis", data.json);
    let loaded = executor.background().run(|| initialize(&database, genesis));
    bar.finish_and_clear();
    loaded.map(|(_, time)| (database, time)).map_err(|error| import_failure(&error))
}

fn print(report: &ImportReport, head: Head, options: &ImportOptions, genesis: Duration, json: bool) {
    let StageTimes { read, recover, prefetch, execute, roots, commit, flush } = report.stages;
    if json {
        let summary = Summary {
            blocks: report.blocks,
            known: report.known,
            txs: report.transactions,
            gas: report.gas,
            ms: ms(report.time),
            genesis_ms: ms(genesis),
            threads: options.threads,
            one_by_one: options.serial,
            stage_ms: StageMs {
                read: ms(read),
                recover: ms(recover),
                prefetch: ms(prefetch),
                execute: ms(execute),
                roots: ms(roots),
                commit: ms(commit),
                flush: ms(flush),
            },
            cache_hit_rate: hit_rate(report),
            peak_memory: peak_memory(),
            head: head.into(),
        };
        say!("{}", serde_json::json!({ "summary": summary }));
        return;
    }
    if !genesis.is_zero() {
        say!("genesis loaded in {:.3} ms", ms(genesis));
    }
    let seconds = report.time.as_secs_f64().max(1e-9);
    say!(
        "{} blocks imported, {} known before; {} transactions, {} gas in {:.3} ms ({:.0} tx/s, {:.0} Mgas/s); {}",
        report.blocks,
        report.known,
        report.transactions,
        report.gas,
        ms(report.time),
        report.transactions as f64 / seconds,
        report.gas as f64 / 1e6 / seconds,
        if options.serial { "stages one by one".to_owned() } else { format!("{} threads", options.threads) },
    );
    let stages = [
        ("read", read),
        ("recover", recover),
        ("prefetch", prefetch),
        ("execute", execute),
        ("roots", roots),
        ("commit", commit),
    ];
    let total: Duration = stages.iter().map(|(_, time)| *time).sum();
    say!("{:<10} {:>12} {:>7}", "stage", "busy ms", "share");
    for (name, time) in stages {
        let share = 100.0 * time.as_secs_f64() / total.as_secs_f64().max(1e-9);
        say!("{name:<10} {:>12.3} {share:>6.1}%", ms(time));
    }
    say!("of the commits, {:.3} ms were writing to the disk", ms(flush));
    say!("read cache: {:.1}% hits", 100.0 * hit_rate(report));
    if let Some(bytes) = peak_memory() {
        say!("peak memory {} MiB", bytes >> 20);
    }
    say!("head {} {}, state root {}", head.number, head.hash, head.state_root);
}

fn hit_rate(report: &ImportReport) -> f64 {
    let stats = report.cache;
    let counts = [stats.accounts, stats.slots, stats.codes];
    let hits: u64 = counts.iter().map(|count: &HitCount| count.hits).sum();
    let all: u64 = counts.iter().map(|count| count.hits + count.misses).sum();
    hits as f64 / (all as f64).max(1.0)
}

pub(super) fn ms(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e6).round() / 1e3
}
