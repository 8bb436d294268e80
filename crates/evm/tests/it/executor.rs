//! One executor and several callers, wherever they call from; and what it keeps.

use crate::common::contracts::*;
use crate::common::{Fork, Report, Scenario, Tx, assert_like, at, execute_plainly, stream};
use alloy_primitives::{Address, B256, U256};
use revm::bytecode::Bytecode;
use revm::database_interface::DatabaseRef;
use revm::state::AccountInfo;
use std::collections::HashSet;
use std::num::NonZeroUsize;
use std::sync::{Mutex, mpsc};
use std::thread::{self, ThreadId};
use std::time::Duration;
use tandem_evm::{Block, BlockInput, Config, Cut, ExecutionError, Executor, StoreRef};
use tandem_state::MemoryStore;

const THREADS: [usize; 3] = [1, 2, 4];

/// Blocks, and what the plain loop makes of them.
struct Setting {
    store: StoreRef<'static, MemoryStore>,
    blocks: Vec<Block>,
    report: Report,
}

/// Blocks of transactions that depend on one another, and of those that do not.
fn setting() -> Setting {
    let mut s = Scenario::new(Fork::Prague);
    s.contract(at(1), &counter(), 0);
    for block in 0..4 {
        for n in 0..8 {
            let user = s.user(n);
            s.tx(if n < block * 2 { Tx::pay(user, at(1), 1) } else { Tx::pay(user, at(900 + n), 1) });
        }
        s.next_block();
    }
    let blocks = s.blocks();
    let report = execute_plainly(&blocks, &s.store).valid();
    Setting { store: StoreRef(Box::leak(Box::new(s.store))), blocks, report }
}

impl Setting {
    fn inputs(&self) -> impl Iterator<Item = BlockInput<'_, StoreRef<'static, MemoryStore>>> {
        self.blocks.iter().map(|block| BlockInput::new(block.clone(), &self.store))
    }

    /// Executes the first block alone, and all blocks as a stream.
    fn execute(&self, executor: &Executor) {
        let block = executor.execute(&self.store, self.blocks[0].clone()).unwrap();
        assert_eq!(block.receipts, self.report.blocks[0].receipts);
        let streamed = stream(executor, &self.blocks, &self.store, Cut::Never);
        assert_like(&streamed, &self.report, "beside another stream");
    }
}

/// Calls `code` with executors of several sizes, and fails if that takes longer than a minute.
fn on_each_executor(code: impl Fn(&Executor, &Setting) + Send + 'static) {
    let (done, end) = mpsc::channel::<()>();
    let thread = thread::spawn(move || {
        let setting = setting();
        for threads in THREADS {
            let executor = Executor::new(&Config::default().threads(threads).alone_below(0)).unwrap();
            (0..20).for_each(|_| code(&executor, &setting));
        }
        drop(done);
    });
    let ended = end.recv_timeout(std::time::Duration::from_secs(60));
    assert_ne!(ended, Err(mpsc::RecvTimeoutError::Timeout), "hangs");
    thread.join().unwrap();
}

#[test]
fn a_consumer_may_execute_blocks() {
    on_each_executor(|executor, setting| {
        let (count, _) = executor.stream(setting.inputs()).run(|finished| {
            finished.inspect(|block| assert!(block.is_ok())).inspect(|_| setting.execute(executor)).count()
        });
        assert_eq!(count, setting.blocks.len());
    });
}

#[test]
fn blocks_execute_while_a_stream_waits_for_its_input() {
    on_each_executor(|executor, setting| {
        let (sender, input) = mpsc::channel();
        thread::scope(|scope| {
            let waiting = scope.spawn(|| executor.stream(input).run(|finished| finished.count()).0);
            setting.execute(executor);
            setting.inputs().for_each(|input| sender.send(input).unwrap());
            setting.execute(executor);
            drop(sender);
            assert_eq!(waiting.join().unwrap(), setting.blocks.len());
        });
    });
}

#[test]
fn an_input_an_observer_and_background_work_may_execute_blocks() {
    on_each_executor(|executor, setting| {
        let inputs = setting.inputs().inspect(|_| setting.execute(executor));
        let every = NonZeroUsize::new(3).unwrap();
        let observer = |_: &_, _| executor.background().run(|| setting.execute(executor));
        let (count, _) = executor.stream(inputs).observe(every, observer).run(|finished| finished.count());
        assert_eq!(count, setting.blocks.len());
    });
}

#[test]
fn many_callers_may_execute_blocks_at_once() {
    on_each_executor(|executor, setting| {
        thread::scope(|scope| {
            for _ in 0..6 {
                scope.spawn(|| setting.execute(executor));
            }
        });
    });
}

#[test]
fn a_block_that_does_not_follow_the_one_before_is_refused() {
    let setting = setting();
    for threads in THREADS {
        let executor = Executor::new(&Config::default().threads(threads).alone_below(0)).unwrap();
        for order in [[0, 1, 3], [0, 1, 1], [0, 1, 0]] {
            let inputs = order.map(|index| BlockInput::new(setting.blocks[index].clone(), &setting.store));
            let (results, _) = executor.stream(inputs).run(|finished| finished.collect::<Vec<_>>());
            let (before, last) = (&setting.blocks[order[1]], &setting.blocks[order[2]]);
            let Some(Err(ExecutionError::Order { block, previous })) = results.last() else {
                panic!("{order:?} on {threads} threads: {results:?}")
            };
            assert_eq!((results.len(), *block, *previous), (3, last.id(), before.id()));
        }
        // Of other states, they may be any.
        let inputs = [0, 3].map(|index| BlockInput {
            world: index as u32,
            ..BlockInput::new(setting.blocks[index].clone(), &setting.store)
        });
        let (results, _) = executor.stream(inputs).run(|finished| finished.collect::<Vec<_>>());
        assert!(!matches!(results[1], Err(ExecutionError::Order { .. })), "{threads} threads");
    }
}

/// A store that takes its time and notes which threads read accounts.
struct Watched<'a> {
    store: &'a StoreRef<'static, MemoryStore>,
    readers: Mutex<HashSet<ThreadId>>,
}

impl DatabaseRef for Watched<'_> {
    type Error = <StoreRef<'static, MemoryStore> as DatabaseRef>::Error;

    fn basic_ref(&self, address: Address) -> Result<Option<AccountInfo>, Self::Error> {
        self.readers.lock().unwrap().insert(thread::current().id());
        thread::sleep(Duration::from_millis(1));
        self.store.basic_ref(address)
    }

    fn code_by_hash_ref(&self, code_hash: B256) -> Result<Bytecode, Self::Error> {
        self.store.code_by_hash_ref(code_hash)
    }

    fn storage_ref(&self, address: Address, slot: U256) -> Result<U256, Self::Error> {
        self.store.storage_ref(address, slot)
    }

    fn block_hash_ref(&self, number: u64) -> Result<B256, Self::Error> {
        self.store.block_hash_ref(number)
    }
}

#[test]
fn a_call_of_a_short_block_has_the_calling_thread_alone() {
    let setting = setting();
    let executor = Executor::new(&Config::default().threads(4).alone_below(u64::MAX)).unwrap();
    let store = Watched { store: &setting.store, readers: Mutex::default() };
    let (finished, metrics) = executor.call(&store, setting.blocks[0].clone()).run_counted();
    assert_eq!(finished.unwrap().receipts.len(), 8);
    assert_eq!(*store.readers.lock().unwrap(), HashSet::from([thread::current().id()]));
    assert_eq!((metrics.executions, metrics.frontier_executions), (metrics.steps, metrics.steps));
}

#[test]
fn counters_can_be_read_while_a_stream_runs() {
    let setting = setting();
    for threads in THREADS {
        let executor = Executor::new(&Config::default().threads(threads)).unwrap();
        let (read, metrics) = executor.stream(setting.inputs()).run(|mut finished| {
            let mut last = finished.metrics();
            while let Some(block) = finished.next() {
                block.unwrap();
                let now = finished.metrics();
                assert!(now.executions >= last.executions);
                last = now;
            }
            finished.metrics()
        });
        assert!(read.executions > 0 && read.executions <= metrics.executions, "{threads} threads");
    }
}

/// Blocks that touch many accounts.
fn wide() -> (MemoryStore, Vec<Block>) {
    let mut s = Scenario::new(Fork::Prague);
    for block in 0..4 {
        for n in 0..500 {
            let user = s.user(n % 20);
            s.tx(Tx::pay(user, at(10_000 * (block + 1) + n), 1));
        }
        s.next_block();
    }
    let blocks = s.blocks();
    (s.store, blocks)
}

#[test]
fn memory_is_kept_within_bounds_and_given_back() {
    let (store, blocks) = wide();
    for threads in THREADS {
        let kept = |most| {
            let executor = Executor::new(&Config::default().threads(threads).kept_memory(most)).unwrap();
            for _ in 0..3 {
                let streamed = stream(&executor, &blocks, &StoreRef(&store), Cut::Never);
                assert!(streamed.error.is_none() && streamed.finished.len() == blocks.len());
                assert!(executor.kept_memory() <= most, "{} bytes of {most}", executor.kept_memory());
            }
            let kept = executor.kept_memory();
            executor.release();
            assert_eq!(executor.kept_memory(), 0);
            kept
        };
        // Everything; a part; nothing.
        let all = kept(usize::MAX);
        let part = kept(all / 2);
        assert!((1..all).contains(&part), "{part} of {all} bytes");
        assert_eq!(kept(0), 0);
    }
}
