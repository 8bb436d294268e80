use super::args::{BenchArgs, Case};
use crate::shared::failure::Failure;
use std::path::PathBuf;
use std::time::Duration;
use tandem_workload::{ChainConfig, Workload};

/// The default workloads: the shapes of load that engines differ most on.
const DEFAULT_CASES: [(Workload, Option<f64>); 9] = [
    (Workload::Transfers, None),
    (Workload::Token, None),
    (Workload::Swaps, Some(0.0)),
    (Workload::IndependentSwaps, None),
    (Workload::OneHot, None),
    (Workload::Payroll, None),
    (Workload::Nft, None),
    (Workload::Mixed, None),
    (Workload::Mixed, Some(0.5)),
];

/// The arguments' meaning.
#[derive(Debug)]
pub(super) struct Settings {
    pub(super) paths: Vec<PathBuf>,
    pub(super) from: u64,
    pub(super) cases: Vec<Case>,
    pub(super) chain: ChainConfig,
    pub(super) threads: Vec<usize>,
    pub(super) samples: usize,
    pub(super) latency: Duration,
    pub(super) counters: bool,
    pub(super) stages: bool,
    /// Memory that evicts caches before each call, in mebibytes.
    pub(super) evict: usize,
    pub(super) json: bool,
}

impl Settings {
    pub(super) fn new(args: BenchArgs) -> Result<Self, Failure> {
        if args.samples == 0 {
            return Err(Failure::input("--samples must be at least 1"));
        }
        let mut threads = args.threads;
        if threads.contains(&0) {
            return Err(Failure::input("--threads must be at least 1"));
        }
        if threads.is_empty() {
            threads = vec![1, std::thread::available_parallelism().map_or(1, |n| n.get())];
        }
        threads.sort_unstable();
        threads.dedup();
        let mut cases = args.workloads;
        if args.paths.is_empty() && cases.is_empty() {
            cases = DEFAULT_CASES.map(|(workload, hot)| Case { workload, hot }).to_vec();
        }
        let chain = ChainConfig::default()
            .with_blocks(args.blocks)
            .with_transactions(args.txs)
            .with_accounts(args.accounts)
            .with_population(args.accounts)
            .with_slots(args.accounts);
        chain.validate().map_err(Failure::input)?;
        Ok(Self {
            paths: args.paths,
            from: args.from,
            cases,
            chain,
            threads,
            samples: args.samples,
            latency: Duration::from_micros(args.read_latency),
            counters: args.counters,
            stages: args.stages,
            evict: args.evict.into(),
            json: args.json,
        })
    }
}
