//! Streams that forget what they know after each block, and read it again: from the values that they gave back, or from a store that the
//! consumer has written them to.

use crate::common::rng::Rng;
use crate::common::stores::SlowStore;
use crate::common::{
    NEVER, Report, Streamed, apply, assert_like, block_hash, execute_plainly, stream_watched,
};
use crate::fuzz::case::Case;
use crate::fuzz::generate::generate;
use alloy_primitives::{Address, B256, U256};
use parking_lot::RwLock;
use revm::bytecode::Bytecode;
use revm::database_interface::DatabaseRef;
use revm::state::AccountInfo;
use tandem_evm::{Block, BlockInput, Config, Cut, Executor, Metrics, StoreRef};
use tandem_state::MemoryStore;

const THREADS: [usize; 3] = [1, 2, 4];

type Missing = <StoreRef<'static, MemoryStore> as DatabaseRef>::Error;

/// A store that is written to while it is read.
struct SharedStore<'a> {
    state: RwLock<MemoryStore>,
    seed: u64,
    slow: &'a [Address],
}

impl SharedStore<'_> {
    fn read<T>(&self, read: impl FnOnce(&SlowStore<'_>) -> T) -> T {
        let state = self.state.read();
        read(&SlowStore::new(&state, self.seed, self.slow))
    }
}

impl DatabaseRef for SharedStore<'_> {
    type Error = Missing;

    fn basic_ref(&self, address: Address) -> Result<Option<AccountInfo>, Self::Error> {
        self.read(|store| store.basic_ref(address))
    }

    fn code_by_hash_ref(&self, hash: B256) -> Result<Bytecode, Self::Error> {
        self.read(|store| store.code_by_hash_ref(hash))
    }

    fn storage_ref(&self, address: Address, slot: U256) -> Result<U256, Self::Error> {
        self.read(|store| store.storage_ref(address, slot))
    }

    fn block_hash_ref(&self, number: u64) -> Result<B256, Self::Error> {
        self.read(|store| store.block_hash_ref(number))
    }
}

/// An executor whose streams forget after each block.
fn forgetful(threads: usize) -> Executor {
    Executor::new(&Config::default().threads(threads).memory(0).alone_below(0)).unwrap()
}

/// Executes blocks in one stream, each of which is written to the store before the next one is asked for.
fn stream_committing(executor: &Executor, blocks: &[Block], store: &SharedStore<'_>) -> Streamed<Missing> {
    let inputs: Vec<_> = blocks.iter().map(|block| BlockInput::new(block.clone(), store)).collect();
    let ((finished, error), metrics) = executor.stream(inputs).consumer_commits().run(|blocks| {
        let (mut finished, mut error) = (Vec::new(), None);
        for block in blocks {
            match block {
                Ok(block) => {
                    let number = block.block.header().number;
                    let mut state = store.state.write();
                    apply(&mut state, &block.state_changes());
                    state.set_block_hash(number, block_hash(number));
                    finished.push(block);
                }
                Err(failure) => error = Some(failure),
            }
        }
        (finished, error)
    });
    Streamed { finished, error, metrics }
}

/// Executes a case on each number of threads, in both ways.
fn check(case: &Case, seed: u64, sum: &mut Metrics) {
    let drafts = case.drafts();
    let blocks: Vec<_> = drafts.iter().map(|draft| draft.build()).collect();
    let store = case.store();
    let report: Report = execute_plainly(&blocks, &store);
    for executor in THREADS.map(forgetful) {
        let how = format!("seed {seed}, {} threads", executor.threads());
        let slow = SlowStore::new(&store, seed, &case.slow);
        let streamed = stream_watched(&executor, &blocks, &slow, Cut::Never, NEVER, |_| ());
        assert_like(&streamed, &report, &how);
        sum.merge(&streamed.metrics);
        let shared = SharedStore { state: RwLock::new(store.clone()), seed, slow: &case.slow };
        let streamed = stream_committing(&executor, &blocks, &shared);
        assert_like(&streamed, &report, &format!("{how}, committing"));
        sum.merge(&streamed.metrics);
    }
}

#[test]
fn random_blocks_in_rounds_give_what_plain_execution_gives() {
    let mut sum = Metrics::default();
    for number in 0..150 {
        let seed = if number % 2 == 0 { 0 } else { Rng(number).next() };
        check(&generate(number), seed, &mut sum);
    }
    assert!(sum.retirements > 1_000 && sum.conflicts > 0 && sum.joined_ahead > 0, "{sum:?}");
}
