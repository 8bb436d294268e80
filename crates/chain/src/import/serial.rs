use super::error::ImportError;
use super::incoming::{Reader, Ready};
use super::report::ImportReport;
use super::roots::{ExecutedBlock, Roots};
use super::run::Import;
use tandem_evm::{BlockInput, StoreRef};

impl Import<'_> {
    /// One stage after the other, segment by segment, on the executor's one thread.
    pub(super) fn one_by_one(
        &self,
        reader: &mut Reader<'_>,
        roots: &mut Roots,
        report: &mut ImportReport,
    ) -> Result<(), ImportError> {
        let threads = self.executor.background();
        loop {
            let (blocks, mut failure) = self.next_segment(reader);
            if blocks.is_empty() && failure.is_none() {
                return Ok(());
            }
            let executed = self.execute_alone(blocks, report, &mut failure);
            let recent = executed.iter().map(ExecutedBlock::recent).collect();
            for block in executed {
                let imported = self.stages.roots.time(|| threads.run(|| roots.add_block(block)))?;
                (self.progress)(imported);
                if let Some(pending) = threads.run(|| roots.full_batch()) {
                    self.writer.commit(&pending)?;
                    let committed = self.writer.committed();
                    threads.run(|| roots.committed(committed.epoch, committed.snapshot));
                }
            }
            if let Some(error) = failure {
                return Err(error);
            }
            self.view.write().advance(recent, self.writer.committed().snapshot);
        }
    }

    /// Blocks for one segment, ready to execute, and what comes after them if that is an error.
    fn next_segment(&self, reader: &mut Reader<'_>) -> (Vec<Ready>, Option<ImportError>) {
        let (mut blocks, mut transactions, mut bytes) = (Vec::new(), 0, 0);
        while transactions < self.options.segment
            && bytes < self.options.ahead_bytes.max(1)
            && let Some(incoming) = reader.next()
        {
            let prepare = || incoming.and_then(|incoming| incoming.prepare(&self.stages));
            match self.executor.background().run(prepare) {
                Ok(ready) => {
                    transactions += ready.block.transaction_count().max(1);
                    bytes += ready.length;
                    blocks.push(ready);
                }
                Err(error) => return (blocks, Some(error)),
            }
        }
        (blocks, None)
    }

    fn execute_alone(
        &self,
        blocks: Vec<Ready>,
        report: &mut ImportReport,
        failure: &mut Option<ImportError>,
    ) -> Vec<ExecutedBlock> {
        let (blocks, records): (Vec<_>, Vec<_>) =
            blocks.into_iter().map(|ready| (ready.block, ready.record)).unzip();
        let view = self.view.read();
        let cached = view.store();
        let store = StoreRef(&cached);
        let inputs = blocks.into_iter().map(|block| BlockInput::new(block, &store));
        let mut executed = Vec::new();
        let (result, metrics) = self.stages.execute.time(|| {
            self.executor.stream(inputs).run(|mut finished| {
                records.into_iter().try_for_each(|record| {
                    let Some(block) = finished.next() else { return Ok::<_, ImportError>(()) };
                    executed.push(ExecutedBlock::new(block?, record));
                    Ok(())
                })
            })
        });
        report.metrics.merge(&metrics);
        if let Err(error) = result {
            *failure = Some(error);
        }
        executed
    }
}
