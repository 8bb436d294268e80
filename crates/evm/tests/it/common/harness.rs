use super::fork::block_hash;
use super::rng::Rng;
use super::stores::SlowStore;
use alloy_eips::eip7685::Requests;
use alloy_primitives::{Address, B256};
use revm::database_interface::DatabaseRef;
use revm::state::EvmState;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::ops::Range;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;
use tandem_evm::{
    Block, BlockInput, Config, Cut, ExecutionError, Executor, FinishedBlock, Metrics, PlainExecutor, Receipt,
    StoreRef, to_evm_states,
};
use tandem_state::{Account, MemoryStore, StateChanges, Store};

/// A stream that takes longer than this is taken to hang.
const PATIENCE: Duration = Duration::from_secs(120);

/// After so many transactions nobody wants to see anything before the block ends, so that nothing cuts a run short.
pub(crate) const NEVER: usize = usize::MAX;

/// What executing one block must give.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Expected {
    pub(crate) receipts: Vec<Receipt>,
    pub(crate) gas_used: u64,
    pub(crate) requests: Option<Requests>,
    pub(crate) changes: StateChanges,
    /// The changes as revm's states.
    pub(crate) states: Vec<EvmState>,
}

/// What a scenario gave, the same in every way of executing it.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// Per valid block.
    pub(crate) blocks: Vec<Expected>,
    /// Why the next block is invalid.
    pub(crate) error: Option<String>,
    /// The state after the last valid block.
    pub(crate) state: MemoryStore,
    /// Sums over all streams.
    pub(crate) metrics: Metrics,
}

impl Report {
    /// Whether the transactions of a block succeeded.
    pub(crate) fn successes(&self, block: usize) -> Vec<bool> {
        self.blocks[block].receipts.iter().map(|receipt| receipt.success).collect()
    }

    /// An account after the last valid block.
    pub(crate) fn account(&self, address: Address) -> Option<Account> {
        self.state.account(address).unwrap()
    }

    pub(crate) fn storage(&self, address: Address, slot: u64) -> u64 {
        self.state.storage(address, alloy_primitives::U256::from(slot)).unwrap().to()
    }

    /// Asserts that all blocks are valid.
    pub(crate) fn valid(self) -> Self {
        assert_eq!(self.error, None);
        self
    }

    /// Asserts that the blocks are valid and that every transaction succeeds.
    pub(crate) fn all_succeed(self) -> Self {
        for (number, block) in self.blocks.iter().enumerate() {
            let failed = block.receipts.iter().position(|receipt| !receipt.success);
            assert_eq!(failed, None, "of block {number}");
        }
        self.valid()
    }
}

/// Brings a state from before a block to after it, and checks that every code that it needs is there.
pub(crate) fn apply(state: &mut MemoryStore, changes: &StateChanges) {
    changes.apply(state);
    for (address, change) in &changes.accounts {
        if let Some((_, Some(fields))) = change.fields {
            assert!(state.code(fields.code_hash).is_ok(), "the code of {address} is not in the changes");
        }
    }
}

/// Executes blocks one after the other with plain revm.
pub(crate) fn execute_plainly(blocks: &[Block], store: &MemoryStore) -> Report {
    let mut plain = PlainExecutor::new();
    let mut report = Report { state: store.clone(), ..Report::default() };
    for block in blocks {
        let state = &mut report.state;
        match plain.execute(&StoreRef(&*state), block) {
            Ok(executed) => {
                let changes = executed.state_changes(&StoreRef(&*state)).unwrap();
                let states = to_evm_states(&changes, |address| StoreRef(&*state).basic_ref(address)).unwrap();
                apply(state, &changes);
                let number = block.header().number;
                state.set_block_hash(number, block_hash(number));
                let (receipts, gas_used, requests) =
                    (executed.receipts, executed.gas_used, executed.summary.requests);
                report.blocks.push(Expected { receipts, gas_used, requests, changes, states });
            }
            Err(error) => {
                report.error = Some(format!("{error:?}"));
                break;
            }
        }
    }
    report
}

/// How many runs of so many steps or more became final. The number is a power of two.
pub(crate) fn runs_of(steps: u64, metrics: &Metrics) -> u64 {
    let counts = metrics.runs_ahead.iter().zip(metrics.runs_at_frontier);
    counts.skip(steps.ilog2() as usize).map(|(ahead, at_frontier)| ahead + at_frontier).sum()
}

/// What a stream gave.
pub(crate) struct Streamed<E> {
    pub(crate) finished: Vec<FinishedBlock>,
    pub(crate) error: Option<ExecutionError<E>>,
    pub(crate) metrics: Metrics,
}

thread_local! {
    static EXECUTORS: RefCell<BTreeMap<(usize, usize, bool), Arc<Executor>>> = RefCell::default();
}

/// An executor with so many threads and, unless zero, this window; each test has its own.
pub(crate) fn with_executor(threads: usize, window: usize) -> Arc<Executor> {
    executor(threads, window, true)
}

/// An executor that starts steps in order, so that a test can make them wait for one another.
pub(crate) fn with_executor_in_order(threads: usize) -> Arc<Executor> {
    executor(threads, 0, false)
}

fn executor(threads: usize, window: usize, hints: bool) -> Arc<Executor> {
    EXECUTORS.with_borrow_mut(|executors| {
        let make = || {
            let config = Config::default().threads(threads).hints(hints).runs(hints).alone_below(0);
            let config = if window == 0 { config } else { config.window(window) };
            Arc::new(Executor::new(&config).unwrap())
        };
        executors.entry((threads, window, hints)).or_insert_with(make).clone()
    })
}

/// Ends the process if `run` hangs.
fn with_patience<R>(what: &str, run: impl FnOnce() -> R) -> R {
    let (done, wait) = channel::<()>();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            if wait.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
                eprintln!("{what} hangs");
                std::process::abort();
            }
        });
        let result = run();
        drop(done);
        result
    })
}

/// Streams blocks through an executor, with runs as long as they get.
pub(crate) fn stream<S>(executor: &Executor, blocks: &[Block], store: &S, cut: Cut) -> Streamed<S::Error>
where
    S: DatabaseRef + Sync,
    S::Error: Send,
{
    stream_watched(executor, blocks, store, cut, NEVER, |_| ())
}

/// Streams blocks through an executor; `watch` hears of every so many transactions that became final, and how often it
/// heard before.
pub(crate) fn stream_watched<S>(
    executor: &Executor,
    blocks: &[Block],
    store: &S,
    cut: Cut,
    every: usize,
    mut watch: impl FnMut(usize) + Send,
) -> Streamed<S::Error>
where
    S: DatabaseRef + Sync,
    S::Error: Send,
{
    let inputs: Vec<_> = blocks.iter().map(|block| BlockInput::new(block.clone(), store)).collect();
    let consume = |blocks: tandem_evm::Finished<'_, '_, S>| {
        let (mut finished, mut error) = (Vec::new(), None);
        for block in blocks {
            match block {
                Ok(block) => finished.push(block),
                Err(failure) => error = Some(failure),
            }
        }
        (finished, error)
    };
    // Shown in pieces, the changes of a block must be those of the whole.
    let mut shown: Vec<(u64, StateChanges)> = Vec::new();
    let every = NonZeroUsize::new(every).unwrap();
    let observer = |block: &Arc<Block>, part: tandem_evm::PartialChanges| {
        watch(shown.len());
        shown.push((block.header().number, part.state_changes()));
    };
    let run = || executor.stream(inputs).cut(cut).observe(every, observer).run(consume);
    let ((finished, error), metrics) =
        with_patience(&format!("{} threads, {cut:?}", executor.threads()), run);
    let parts = finished.iter().flat_map(|block| {
        let (_, before_last) = block.parts().split_last().unwrap();
        before_last.iter().map(|part| (block.block.header().number, part.state_changes()))
    });
    let parts: Vec<_> = parts.collect();
    assert!(shown.starts_with(&parts), "what was shown is not what the blocks consist of");
    Streamed { finished, error, metrics }
}

fn code_hashes(changes: &StateChanges) -> Vec<B256> {
    let mut hashes: Vec<_> = changes.codes.keys().copied().collect();
    hashes.sort();
    hashes
}

/// Says that something is not as expected.
pub(super) fn unequal(
    what: &str,
    found: &dyn std::fmt::Debug,
    expected: &dyn std::fmt::Debug,
) -> Option<String> {
    Some(format!("{what}: {found:#?}, not {expected:#?}"))
}

/// The first thing in which a stream's results are not those of plain revm.
pub(crate) fn difference<E: std::fmt::Debug>(streamed: &Streamed<E>, report: &Report) -> Option<String> {
    for (index, (finished, expected)) in streamed.finished.iter().zip(&report.blocks).enumerate() {
        let what = |what: &str| format!("block {index}: {what}");
        let mut receipts = finished.receipts.iter().zip(&expected.receipts).enumerate();
        if let Some((number, (found, expected))) = receipts.find(|(_, (found, expected))| found != expected) {
            return unequal(&what(&format!("receipt {number}")), found, expected);
        }
        let [found, wanted] = [&finished.receipts, &expected.receipts].map(Vec::len);
        if found != wanted {
            return unequal(&what("receipts"), &found, &wanted);
        }
        if finished.gas_used != expected.gas_used {
            return unequal(&what("gas"), &finished.gas_used, &expected.gas_used);
        }
        if finished.summary.requests != expected.requests {
            return unequal(&what("requests"), &finished.summary.requests, &expected.requests);
        }
        let changes = finished.state_changes();
        for address in changes.accounts.keys().chain(expected.changes.accounts.keys()) {
            let [found, expected] =
                [&changes, &expected.changes].map(|changes| changes.accounts.get(address));
            if found != expected {
                return unequal(&what(&address.to_string()), &found, &expected);
            }
        }
        if finished.evm_states() != expected.states {
            return unequal(&what("states"), &finished.evm_states(), &expected.states);
        }
        let (found, expected) = (code_hashes(&changes), code_hashes(&expected.changes));
        if found != expected {
            return unequal(&what("codes"), &found, &expected);
        }
    }
    let error = streamed.error.as_ref().map(|error| format!("{error:?}"));
    if error != report.error {
        return unequal("error", &error, &report.error);
    }
    let (found, expected) = (streamed.finished.len(), report.blocks.len());
    if found == expected { None } else { unequal("finished blocks", &found, &expected) }
}

/// Executes blocks in every way, once for each number in `repetitions`, and asserts that the results are those in `report`.
/// In odd repetitions the store is slow. Of every four repetitions, two have runs as long as they get, in two somebody wants to see
/// every third transaction's changes.
pub(crate) fn assert_same(
    blocks: &[Block],
    store: &MemoryStore,
    slow: &[Address],
    mut report: Report,
    repetitions: Range<u64>,
) -> Report {
    for repetition in repetitions {
        for (threads, window) in
            [(1, 0), (2, 0), (4, 0), (8, 0), (1, 2), (2, 2), (4, 2), (8, 2), (2, 8), (4, 8)]
        {
            for cut in [Cut::Never, Cut::Batch] {
                assert_streams_alike(blocks, store, slow, &mut report, threads, window, cut, repetition);
            }
        }
    }
    report
}

#[expect(clippy::too_many_arguments, reason = "one call, and each names a different thing")]
fn assert_streams_alike(
    blocks: &[Block],
    store: &MemoryStore,
    slow: &[Address],
    report: &mut Report,
    threads: usize,
    window: usize,
    cut: Cut,
    repetition: u64,
) {
    let seed = if repetition.is_multiple_of(2) { 0 } else { Rng(repetition).next() };
    let slow = SlowStore::new(store, seed, slow);
    let executor = with_executor(threads, window);
    let every = if (repetition / 2).is_multiple_of(2) { NEVER } else { 3 };
    let streamed = stream_watched(&executor, blocks, &slow, cut, every, |_| ());
    let how =
        format!("{threads} threads, window {window}, {cut:?}, parts of {every}, repetition {repetition}");
    assert_like(&streamed, report, &how);
    report.metrics.merge(&streamed.metrics);
}

/// Asserts that a stream gave what was expected.
pub(crate) fn assert_like<E: std::fmt::Debug>(streamed: &Streamed<E>, report: &Report, how: &str) {
    if let Some(difference) = difference(streamed, report) {
        panic!("{how}, {difference}");
    }
}
