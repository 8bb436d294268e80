use super::meter::Piece;
use super::unsealed::UnsealedChain;
use crate::shared::failure::Failure;
use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use tandem_evm::{Block, BlockInput, FinishedBlock, PlainBlock, PlainExecutor, Receipt, StoreRef};
use tandem_state::{MemoryStore, StateChanges};

/// The state that the consumer of the stream and its input share.
#[derive(Default)]
pub(super) struct Gate {
    state: Mutex<Passed>,
    changed: Condvar,
}

/// The blocks of the piece at hand that have come out of the stream.
#[derive(Default)]
struct Passed {
    finished: Vec<FinishedBlock>,
    /// When the last one came.
    at: Option<Instant>,
    /// Whether the stream has ended with an error.
    failed: bool,
    /// The fault of the results.
    verdict: Option<Failure>,
}

impl Gate {
    fn lock(&self) -> MutexGuard<'_, Passed> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a block that has come out.
    pub(super) fn finish(&self, block: FinishedBlock) {
        let mut passed = self.lock();
        passed.finished.push(block);
        passed.at = Some(Instant::now());
        self.changed.notify_all();
    }

    /// No more blocks come out.
    pub(super) fn fail(&self) {
        self.lock().failed = true;
        self.changed.notify_all();
    }

    /// Whether all results were the plain loop's.
    pub(super) fn verdict(&self) -> Result<(), Failure> {
        self.lock().verdict.take().map_or(Ok(()), Err)
    }

    /// Waits until so many blocks have come out. `None` if they never will.
    fn wait(&self, count: usize) -> Option<(Vec<FinishedBlock>, Instant)> {
        let waiting = |passed: &mut Passed| passed.finished.len() < count && !passed.failed;
        let mut passed =
            self.changed.wait_while(self.lock(), waiting).unwrap_or_else(PoisonError::into_inner);
        if passed.failed {
            return None;
        }
        Some((std::mem::take(&mut passed.finished), passed.at.unwrap_or_else(Instant::now)))
    }
}

/// The plain loop's results of a block.
struct Expected {
    receipts: Vec<Receipt>,
    changes: StateChanges,
}

/// The input of a long stream: makes a piece of it once the one before has come out, and compares.
pub(super) struct Pieces<'s, 'g, F> {
    chain: UnsealedChain,
    plain: PlainExecutor,
    /// Blocks to make.
    left: usize,
    /// Blocks of a piece.
    piece: usize,
    store: &'s StoreRef<'s, MemoryStore>,
    gate: &'g Gate,
    done: F,
    /// Blocks of the piece at hand that the stream has not asked for.
    ready: VecDeque<Arc<Block>>,
    expected: Vec<Expected>,
    executed: Piece,
    start: Instant,
}

impl<'s, 'g, F: FnMut(Piece)> Pieces<'s, 'g, F> {
    /// `done` is told of each piece.
    pub(super) fn new(
        chain: UnsealedChain,
        blocks: usize,
        piece: usize,
        store: &'s StoreRef<'s, MemoryStore>,
        gate: &'g Gate,
        done: F,
    ) -> Self {
        Self {
            chain,
            plain: PlainExecutor::new(),
            left: blocks,
            piece,
            store,
            gate,
            done,
            ready: VecDeque::new(),
            expected: Vec::new(),
            executed: Piece::default(),
            start: Instant::now(),
        }
    }

    /// Waits for the piece at hand and makes the next one. Whether there is one.
    fn advance(&mut self) -> Result<bool, Failure> {
        if !self.expected.is_empty() {
            let Some((finished, end)) = self.gate.wait(self.expected.len()) else { return Ok(false) };
            self.executed.time = end.saturating_duration_since(self.start);
            compare(&finished, &self.expected)?;
            drop(finished);
            self.expected.clear();
            (self.done)(std::mem::take(&mut self.executed));
        }
        for _ in 0..self.piece.min(self.left) {
            self.left -= 1;
            let block = self.chain.propose()?;
            self.executed.blocks += 1;
            self.executed.transactions += block.transaction_count();
            let state = StoreRef(self.chain.state());
            let start = Instant::now();
            let executed = self.plain.execute(&state, &block).map_err(Failure::fault)?;
            self.executed.baseline += start.elapsed();
            let changes = executed.state_changes(&state).map_err(Failure::fault)?;
            let state = self.chain.state_mut();
            changes.apply(state);
            let header = block.header();
            state.set_block_hash(header.number.saturating_sub(1), header.parent_hash);
            let PlainBlock { receipts, .. } = executed;
            self.expected.push(Expected { receipts, changes });
            self.ready.push_back(Arc::new(block));
        }
        self.start = Instant::now();
        Ok(!self.ready.is_empty())
    }
}

impl<'s, F: FnMut(Piece)> Iterator for Pieces<'s, '_, F> {
    type Item = BlockInput<'s, StoreRef<'s, MemoryStore>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ready.is_empty() {
            match self.advance() {
                Ok(true) => {}
                Ok(false) => return None,
                Err(failure) => {
                    self.gate.lock().verdict = Some(failure);
                    return None;
                }
            }
        }
        self.ready.pop_front().map(|block| BlockInput { block, store: self.store, world: 0 })
    }
}

fn compare(finished: &[FinishedBlock], expected: &[Expected]) -> Result<(), Failure> {
    for (finished, expected) in finished.iter().zip(expected) {
        if finished.receipts != expected.receipts || finished.state_changes() != expected.changes {
            return Err(Failure::fault(format!(
                "block {}: the result differs from the plain loop's",
                finished.block.id()
            )));
        }
    }
    Ok(())
}
