//! Blocks whose transactions execute in every order.

use super::contracts::{Do, interpreter, script};
use super::fork::Fork;
use super::gates::{Event, Fault, Gates, Hold, hold};
use super::harness::{
    Report, Streamed, assert_like, runs_of, stream, stream_watched, with_executor, with_executor_in_order,
};
use super::scenario::{Scenario, at, ether};
use super::stores::SlowStore;
use super::tx::Tx;
use alloy_primitives::{Address, U256};
use std::time::Duration;
use tandem_evm::{Cut, Executor, Metrics};

/// How long it is tried to hold something back that may be in one run with what it waits for.
const TRY: Duration = Duration::from_millis(1);

/// A transaction that can be told when to begin and when to end.
#[derive(Clone, Debug)]
pub(super) struct Act {
    /// Before it has read anything.
    begin: Event,
    /// After it has done everything.
    done: Event,
    /// Right before its end.
    end: Event,
}

/// One way in which the acts of a block were executed, and what the engine counted.
#[derive(Debug)]
pub(crate) struct Forced {
    pub(crate) threads: usize,
    /// What led to this order.
    pub(crate) holds: Vec<Hold>,
    /// Whether a transaction executed before one that it follows in the block had published its result.
    pub(crate) stale: bool,
    pub(crate) metrics: Metrics,
}

/// What a block gave in every order, and what the engine counted in each.
#[derive(Debug)]
pub(crate) struct OrderResults {
    pub(crate) report: Report,
    pub(crate) forced: Vec<Forced>,
}

impl Scenario {
    /// The account in whose name the n-th act's calls are made.
    pub(crate) fn actor(n: u64) -> Address {
        at(0xac7_1000 + n)
    }

    /// The n-th act's sender.
    pub(crate) fn act_sender(n: u64) -> Address {
        at(0xac7_0000 + n)
    }

    /// A transaction of a sender of its own that does what `steps` say through a contract of its own.
    pub(crate) fn act(&mut self, steps: impl IntoIterator<Item = Do>) {
        self.act_with(steps, |tx| tx);
    }

    /// An act whose transaction is changed by `change`.
    pub(crate) fn act_with(&mut self, steps: impl IntoIterator<Item = Do>, change: impl FnOnce(Tx) -> Tx) {
        let (n, depth) = (self.acts.len() as u64, self.depth());
        let (sender, actor) = (Self::act_sender(n), Self::actor(n));
        self.fund(sender, ether(1));
        self.contract(actor, &interpreter(), ether(1));
        let (begin, done, end) = (Event::Read(sender), 20 + 2 * n, 21 + 2 * n);
        let mut steps: Vec<_> = steps.into_iter().collect();
        let last = steps.pop_if(|step| matches!(step, Do::Die(_) | Do::Revert));
        steps.extend([Do::Mark(done + depth), Do::Mark(end + depth)]);
        steps.extend(last);
        self.tx(change(Tx::call(sender, actor).input(script(steps)).gas(2_000_000)));
        self.acts.push(Act { begin, done: Event::Mark(done), end: Event::Mark(end) });
    }

    /// What happens when the n-th act has done everything that it does.
    pub(crate) fn end_of(&self, n: usize) -> Event {
        self.acts[n].end
    }

    /// Executes the block with its acts in every order, on one, two, four and eight threads, and compares: once so that
    /// each act begins when the one before it has ended, and once so that all have done their work before the first
    /// one ends. Orders that need more threads are left out.
    pub(crate) fn check_orders(&self) -> OrderResults {
        let count = self.acts.len();
        let mut runs = self.begin_runs();
        let padded = Padded::new(self);
        for (index, order) in permutations(count).into_iter().enumerate() {
            let acts: Vec<_> = order.iter().map(|n| &self.acts[*n]).collect();
            let one_by_one = acts.windows(2).map(|pair| hold(pair[1].begin, [pair[0].end])).collect();
            let all_done: Vec<_> = acts.iter().map(|act| act.done).collect();
            let first = acts.first().map(|act| hold(act.end, all_done));
            let together =
                first.into_iter().chain(acts.windows(2).map(|pair| hold(pair[1].end, [pair[0].end])));
            let (one_by_one, together): (Vec<_>, Vec<_>) = (one_by_one, together.collect());
            for threads in [2, 4, 8] {
                if can_follow(&order, threads) {
                    self.run_held(&mut runs, threads, &one_by_one, !order.is_sorted());
                }
                if threads >= count {
                    self.run_held(&mut runs, threads, &together, true);
                }
            }
            let threads = [2, 4, 8][index % 3];
            padded.run_held(threads, &one_by_one);
            padded.run_held(threads, &together);
        }
        runs
    }

    /// Executes the blocks with what `holds` say held back, on two, four and eight threads, and compares; and on one,
    /// where nothing can be held.
    pub(crate) fn check_held(&self, holds: impl Into<Vec<Hold>>) -> OrderResults {
        let (mut runs, holds) = (self.begin_runs(), holds.into());
        for threads in [2, 4, 8] {
            for _ in 0..3 {
                self.run_held(&mut runs, threads, &holds, true);
            }
        }
        let padded = Padded::new(self);
        [2, 4, 8].into_iter().for_each(|threads| padded.run_held(threads, &holds));
        runs
    }

    fn begin_runs(&self) -> OrderResults {
        let report = self.expect();
        let mut runs = OrderResults { report, forced: Vec::new() };
        self.run_held(&mut runs, 1, &[], false);
        let Metrics { conflicts, blocked, executions, steps, .. } = &runs.forced[0].metrics;
        assert_eq!((conflicts, blocked), (&0, &0), "on one thread");
        assert!(executions <= &(steps + 1), "on one thread");
        self.run_joined(&runs.report);
        runs
    }

    /// Executes the blocks in runs, on one, two, four and eight threads, as a stream and block by block, and compares. Gives what the engine
    /// counted on one thread.
    fn run_joined(&self, report: &Report) -> Metrics {
        let (blocks, mut alone) = (self.blocks(), Metrics::default());
        for threads in [1, 2, 4, 8] {
            for cut in [Cut::Never, Cut::Batch] {
                let store = SlowStore::new(&self.store, u64::from(cut == Cut::Batch), &self.slow);
                let streamed = stream(&with_executor(threads, 0), &blocks, &store, cut);
                assert_like(&streamed, report, &format!("{threads} threads, {cut:?}, in runs"));
                if threads == 1 {
                    alone.merge(&streamed.metrics);
                }
            }
        }
        alone
    }

    /// A store with the scenario's state that holds back what `holds` say.
    pub(crate) fn gates(&self, holds: &[Hold]) -> Gates<'_> {
        Gates::new(&self.store, self.blocks()[0].header().number, holds.to_vec())
    }

    /// Executes the blocks on what a store lets through.
    pub(crate) fn stream_through(&self, gates: &Gates<'_>, executor: &Executor) -> Streamed<Fault> {
        let watch = |index| gates.arrive(Event::Final(index)).unwrap();
        stream_watched(executor, &self.blocks(), gates, Cut::Never, 1, watch)
    }

    /// Executes the blocks on what a store lets through: in runs as long as they get, or telling it of each step that is final.
    pub(crate) fn stream_in(&self, gates: &Gates<'_>, executor: &Executor, runs: bool) -> Streamed<Fault> {
        if runs {
            stream(executor, &self.blocks(), gates, Cut::Never)
        } else {
            self.stream_through(gates, executor)
        }
    }

    fn run_held(&self, runs: &mut OrderResults, threads: usize, holds: &[Hold], stale: bool) {
        let gates = self.gates(holds);
        let streamed = self.stream_through(&gates, &with_executor_in_order(threads));
        let how = format!("{threads} threads, {holds:?}");
        assert_like(&streamed, &runs.report, &how);
        // An invalid transaction may be refused before it comes to what it would wait for.
        let ended_early = runs.report.error.is_some();
        assert!(ended_early || gates.all_passed(), "{how}: something that was to wait did not happen");
        runs.forced.push(Forced { threads, holds: holds.to_vec(), stale, metrics: streamed.metrics });
    }
}

/// A scenario with payments between its transactions, which executes in runs as long as they get.
struct Padded {
    scenario: Scenario,
    report: Report,
}

impl Padded {
    /// Executes it with nothing held back, and compares.
    fn new(scenario: &Scenario) -> Self {
        let scenario = scenario.padded();
        let report = scenario.expect();
        let alone = scenario.run_joined(&report);
        // Before Byzantium each transaction is a run of its own.
        assert!(scenario.fork < Fork::Byzantium || runs_of(32, &alone) > 0, "on one thread: {alone:?}");
        Self { scenario, report }
    }

    /// Executes it while it is tried to hold back what `holds` say, and compares.
    fn run_held(&self, threads: usize, holds: &[Hold]) {
        let gates = self.scenario.gates(holds).lenient(TRY);
        let streamed = self.scenario.stream_in(&gates, &with_executor(threads, 0), true);
        assert_like(&streamed, &self.report, &format!("{threads} threads, in long runs, {holds:?}"));
    }
}

impl OrderResults {
    /// Asserts that all blocks are valid.
    pub(crate) fn valid(self) -> Self {
        assert_eq!(self.report.error, None);
        self
    }

    /// Asserts that `count` is positive somewhere on each number of threads above one where something was stale.
    pub(crate) fn each(self, what: &str, count: impl Fn(&Metrics) -> u64) -> Self {
        for threads in [2, 4, 8] {
            let stale = |run: &&Forced| run.threads == threads && run.stale;
            let sum: u64 = self.forced.iter().filter(stale).map(|run| count(&run.metrics)).sum();
            assert!(sum > 0, "no {what} on {threads} threads: {self:#?}");
        }
        self
    }

    /// Asserts that stale reads were found to be conflicts.
    pub(crate) fn conflict(self) -> Self {
        self.valid().each("conflict", |metrics| metrics.conflicts)
    }

    /// Asserts that some of the conflicts were about this kind of location (see [`tandem_evm::conflict_kinds`]).
    pub(crate) fn conflict_about(self, kind: &str) -> Self {
        let index = tandem_evm::conflict_kinds().iter().position(|name| *name == kind).unwrap();
        let sum: u64 = self.forced.iter().map(|run| run.metrics.conflicts_by_kind[index]).sum();
        assert!(sum > 0, "no conflict about {kind}: {self:#?}");
        self.conflict()
    }

    /// Asserts that nothing was a conflict, whatever the order.
    pub(crate) fn never_conflict(self) -> Self {
        for run in &self.forced {
            assert_eq!((run.metrics.conflicts, run.metrics.reexecutions), (0, 0), "{run:?}");
        }
        self.valid()
    }

    /// An account after the last block.
    pub(crate) fn account(&self, address: Address) -> Option<tandem_state::Account> {
        self.report.account(address)
    }

    /// An account's balance after the last block.
    pub(crate) fn balance(&self, address: Address) -> U256 {
        self.account(address).map_or(U256::ZERO, |account| account.balance)
    }

    /// Small balances after the last block.
    pub(crate) fn balances<const N: usize>(&self, addresses: [Address; N]) -> [u64; N] {
        addresses.map(|address| self.balance(address).to())
    }
}

/// All orders of so many things; the first one is sorted.
fn permutations(count: usize) -> Vec<Vec<usize>> {
    let Some(last) = count.checked_sub(1) else { return vec![vec![]] };
    let insert = |order: Vec<usize>| {
        (0..count).rev().map(move |at| {
            let mut order = order.clone();
            order.insert(at, last);
            order
        })
    };
    permutations(last).into_iter().flat_map(insert).collect()
}

/// Whether so many threads, which take steps in the stream's order, can end them in this one.
fn can_follow(order: &[usize], threads: usize) -> bool {
    let mut begun: Vec<_> = (0..threads.min(order.len())).collect();
    let mut next = begun.len();
    order.iter().all(|act| {
        let found = begun.iter().position(|other| other == act);
        found.is_some_and(|at| {
            begun[at] = next;
            next += 1;
            true
        })
    })
}
