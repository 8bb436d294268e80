use super::base::Recent;
use super::budget::Budget;
use super::error::ImportError;
use super::incoming::{Reader, Ready, Record};
use super::options::ImportOptions;
use super::prefetch;
use super::report::ImportReport;
use super::roots::{ExecutedBlock, Pending, Roots};
use super::run::Import;
use crossbeam_channel::{Receiver, Sender, bounded, unbounded};
use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::sync::Arc;
use tandem_evm::{Block, BlockInput, PartialChanges, ReadHint, StoreRef, receive};

/// Executed blocks that wait for their roots at most when a segment begins. Those of the segment come on top: a stream never waits for
/// roots.
const EXECUTED_AHEAD: usize = 16;
/// Transactions of a long block whose changes go to the tries together, while later ones execute.
const PART: NonZeroUsize = NonZeroUsize::new(64).unwrap();
/// Blocks whose hints wait for a thread at most. More are dropped: by then execution is close.
const HINTS: usize = 32;

/// A block that is ready to execute.
type Promise = Receiver<Result<Ready, ImportError>>;

/// A message from execution to the tries.
enum Work {
    /// Changes of a block that is still executing, by its number.
    Part(u64, PartialChanges),
    Block(Box<ExecutedBlock>),
}

impl Import<'_> {
    /// All stages at once, each on later blocks than the next.
    pub(super) fn overlapped(
        &self,
        reader: &mut Reader<'_>,
        roots: &mut Roots,
        report: &mut ImportReport,
    ) -> Result<(), ImportError> {
        let budget = Budget::new(self.options.ahead_bytes);
        let budget = &budget;
        std::thread::scope(|scope| {
            let closing = budget.closed_with();
            let (blocks_in, blocks) = bounded(self.options.ahead.max(1));
            let (hints_in, hints) = bounded::<Vec<ReadHint>>(HINTS);
            let (work_in, work) = unbounded();
            let (rooted_in, rooted) = unbounded();
            let (batches_in, batches) = bounded(1);
            for _ in 0..self.options.prefetch {
                let hints = hints.clone();
                scope.spawn(move || prefetch::run(&hints, &self.view, &self.stages));
            }
            drop(hints);
            scope.spawn(move || self.read(reader, budget, &blocks_in, &hints_in));
            let rooting = scope.spawn(move || self.root(roots, &work, &rooted_in, &batches_in));
            let writing = scope.spawn(move || self.writer.run(&batches));
            let executed = self.execute(&blocks, budget, &work_in, &rooted, report);
            // No stage waits for a consumer that has left.
            drop((blocks, work_in, closing));
            let panicked = |_| Err(ImportError::Internal("a stage of the import panicked"));
            let roots_done = rooting.join().unwrap_or_else(panicked);
            let written = writing.join().unwrap_or_else(panicked);
            // A failure nearer to the end of the pipeline is one of an earlier block.
            written.and(roots_done).and(executed)
        })
    }

    /// Reads blocks and has them prepared, in any order; the promises are in order.
    fn read(
        &self,
        reader: &mut Reader<'_>,
        budget: &Budget,
        blocks: &Sender<Promise>,
        hints: &Sender<Vec<ReadHint>>,
    ) {
        for incoming in reader {
            let length = incoming.as_ref().map_or(0, |incoming| incoming.length);
            if !budget.take(length) {
                return;
            }
            let (ready, promise) = bounded(1);
            let (stages, hints) = (self.stages.clone(), hints.clone());
            self.executor.background().spawn(move || {
                let block = incoming.and_then(|incoming| incoming.prepare(&stages));
                if let Ok(Ready { block, .. }) = &block {
                    let _ = hints.try_send(block.read_hints().collect());
                }
                let _ = ready.send(block);
            });
            if blocks.send(promise).is_err() {
                return;
            }
        }
    }

    /// Executes segment after segment.
    fn execute(
        &self,
        blocks: &Receiver<Promise>,
        budget: &Budget,
        work: &Sender<Work>,
        rooted: &Receiver<()>,
        report: &mut ImportReport,
    ) -> Result<(), ImportError> {
        let mut waiting = 0;
        loop {
            let mut segment = Segment { end: None, transactions: 0, bytes: 0 };
            let (result, executed) = self.execute_segment(blocks, budget, work, &mut segment, report);
            result?;
            if let Some(end) = segment.end {
                return end;
            }
            waiting += executed.len();
            while waiting > EXECUTED_AHEAD && rooted.recv().is_ok() {
                waiting -= 1;
            }
            let snapshot = self.writer.committed().snapshot;
            self.view.write().advance(executed, snapshot);
        }
    }

    fn execute_segment(
        &self,
        blocks: &Receiver<Promise>,
        budget: &Budget,
        work: &Sender<Work>,
        segment: &mut Segment,
        report: &mut ImportReport,
    ) -> (Result<(), ImportError>, Vec<Recent>) {
        let view = self.view.read();
        let cached = view.store();
        let store = StoreRef(&cached);
        let (records_in, records) = unbounded();
        let inputs = std::iter::from_fn(|| {
            let (block, record) = segment.next(blocks, budget, self.options)?;
            records_in.send(record).ok()?;
            Some(BlockInput::new(block, &store))
        });
        let observer = |block: &Arc<Block>, part| {
            // Before Byzantium the tries need to know where each transaction ends.
            if !block.receipts_hold_roots() {
                let _ = work.send(Work::Part(block.header().number, part));
            }
        };
        let mut executed = Vec::new();
        let (result, metrics) = self.executor.stream(inputs.fuse()).observe(PART, observer).run(|finished| {
            for finished in finished {
                let finished = finished?;
                let Ok(record) = records.recv() else { break };
                let block = ExecutedBlock::new(finished, record);
                executed.push(block.recent());
                if work.send(Work::Block(Box::new(block))).is_err() {
                    // The tries have failed, and say so themselves.
                    return Ok::<_, ImportError>(true);
                }
            }
            Ok(false)
        });
        report.metrics.merge(&metrics);
        self.stages.execute.add(metrics.execute_time + metrics.validate_time + metrics.commit_time);
        match result {
            Ok(is_over) => {
                if is_over {
                    segment.end = Some(Ok(()));
                }
                (Ok(()), executed)
            }
            Err(error) => (Err(error), executed),
        }
    }

    /// Brings the tries along, and hands on batches of blocks that have passed. `rooted` hears of each block.
    fn root(
        &self,
        roots: &mut Roots,
        work: &Receiver<Work>,
        rooted: &Sender<()>,
        batches: &Sender<Pending>,
    ) -> Result<(), ImportError> {
        let threads = self.executor.background();
        let timed = |work: &mut (dyn FnMut() -> Result<(), ImportError> + Send)| {
            self.stages.roots.time(|| threads.run(work))
        };
        // Parts of blocks whose predecessors are not finished yet.
        let mut early: VecDeque<(u64, PartialChanges)> = VecDeque::new();
        let mut committed = 0;
        for item in work {
            match item {
                Work::Part(number, part) => early.push_back((number, part)),
                Work::Block(block) => {
                    let imported = self.stages.roots.time(|| threads.run(|| roots.add_block(*block)))?;
                    (self.progress)(imported);
                    let _ = rooted.send(());
                    if let Some(pending) = threads.run(|| roots.full_batch())
                        && batches.send(pending).is_err()
                    {
                        // The database has failed, and the writer says so.
                        return Ok(());
                    }
                    let last = self.writer.committed();
                    if last.epoch > committed {
                        committed = last.epoch;
                        threads.run(|| roots.committed(last.epoch, last.snapshot));
                    }
                }
            }
            while early.front().is_some_and(|(number, _)| *number == roots.next_number()) {
                let Some((_, part)) = early.pop_front() else { break };
                timed(&mut || roots.add_part(&part))?;
            }
        }
        Ok(())
    }
}

/// The input of one segment.
struct Segment {
    /// Set when there will be no further segment, and why.
    end: Option<Result<(), ImportError>>,
    transactions: usize,
    bytes: usize,
}

impl Segment {
    /// The next block, unless the segment is full or the input has ended. Runs on the workers' threads.
    fn next(
        &mut self,
        blocks: &Receiver<Promise>,
        budget: &Budget,
        options: &ImportOptions,
    ) -> Option<(Block, Record)> {
        if self.transactions >= options.segment || self.bytes >= options.ahead_bytes.max(1) {
            return None;
        }
        let Some(promise) = receive(blocks) else {
            self.end = Some(Ok(()));
            return None;
        };
        match receive(&promise) {
            Some(Ok(Ready { length, block, record })) => {
                budget.give_back(length);
                self.bytes += length;
                self.transactions += block.transaction_count().max(1);
                Some((block, record))
            }
            Some(Err(error)) => {
                self.end = Some(Err(error));
                None
            }
            None => {
                self.end = Some(Err(ImportError::Internal("preparing a block panicked")));
                None
            }
        }
    }
}
