use super::base::Recent;
use super::error::ImportError;
use super::incoming::Record;
use super::options::ImportOptions;
use super::report::Imported;
use crate::rules::{ExecutionFields, validate_execution};
use alloy_primitives::B256;
use std::sync::Arc;
use tandem_evm::{FinishedBlock, PartialChanges, receipts_root_before_byzantium};
use tandem_state::StateChanges;
use tandem_state::database::{Batch, BlockRecord, Database, Snapshot};
use tandem_state::trie::{HashedChanges, LeafUpdates, StateTrie};

/// A block after execution, before its results are compared with its header.
#[derive(Debug)]
pub(super) struct ExecutedBlock {
    pub(super) finished: FinishedBlock,
    pub(super) changes: Arc<StateChanges>,
    pub(super) record: Record,
}

impl ExecutedBlock {
    pub(super) fn new(finished: FinishedBlock, record: Record) -> Self {
        let changes = Arc::new(finished.state_changes());
        Self { finished, changes, record }
    }

    /// The facts about the block that later segments need.
    pub(super) fn recent(&self) -> Recent {
        Recent { number: self.record.header.number, hash: self.record.hash, changes: self.changes.clone() }
    }
}

/// The tries, and the blocks that have passed all checks and wait for their commit.
///
/// All work is done on the current rayon pool.
pub(super) struct Roots {
    trie: StateTrie,
    /// Where the trie finds what it does not hold. At least as new as the last commit after which it forgot nodes.
    source: Snapshot,
    blocks: Vec<BlockRecord>,
    /// Changed leaves in `blocks`.
    leaves: usize,
    /// Parts of the next block that are in the trie already.
    parts: usize,
    next_number: u64,
    failed: bool,
    options: ImportOptions,
}

/// Counts of blocks and of what is in them.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Done {
    pub(super) blocks: u64,
    pub(super) transactions: u64,
    pub(super) gas: u64,
}

impl Done {
    /// Counts a block.
    pub(super) fn add(&mut self, block: &BlockRecord) {
        self.blocks += 1;
        self.transactions += block.receipts.len() as u64;
        self.gas += block.header.gas_used;
    }
}

/// Blocks on their way to the database, and the epoch of the tries that becomes durable with them.
pub(super) struct Pending {
    pub(super) epoch: u64,
    pub(super) batch: Batch,
}

impl Roots {
    /// Continues from the state of a snapshot.
    pub(super) fn new(source: Snapshot, options: &ImportOptions) -> Result<Self, ImportError> {
        let head = source.head().ok_or(tandem_state::database::DatabaseError::NoGenesis)?;
        Ok(Self {
            trie: StateTrie::new(head.state_root),
            source,
            blocks: Vec::new(),
            leaves: 0,
            parts: 0,
            next_number: head.number + 1,
            failed: false,
            options: options.clone(),
        })
    }

    /// The number of the block that comes next.
    pub(super) fn next_number(&self) -> u64 {
        self.next_number
    }

    /// Whether the tries stand at the end of the last block that has passed.
    pub(super) fn is_usable(&self) -> bool {
        !self.failed && self.parts == 0
    }

    /// Takes changes of the next block before the block is finished.
    pub(super) fn add_part(&mut self, part: &PartialChanges) -> Result<(), ImportError> {
        self.parts += 1;
        Ok(self.trie.update(&HashedChanges::new(&part.state_changes()), &self.source)?)
    }

    /// Compares a block's results with its header.
    pub(super) fn add_block(&mut self, block: ExecutedBlock) -> Result<Imported, ImportError> {
        self.failed = true;
        let ExecutedBlock { finished, changes, record } = block;
        let (mut executed, tries) = rayon::join(
            || ExecutionFields::new(&record.chain, &finished, None),
            || self.update(&finished, &changes),
        );
        let (roots, leaves) = tries?;
        executed.state_root = Some(self.trie.root());
        if finished.block.receipts_hold_roots() {
            executed.receipts_root = Some(receipts_root_before_byzantium(&finished.receipts, &roots));
        }
        validate_execution(&record.header, &executed)?;
        self.leaves +=
            leaves.accounts.len() + leaves.storages.iter().map(|(_, s)| s.slots.len()).sum::<usize>();
        self.failed = false;
        self.next_number += 1;
        let imported = Imported {
            number: record.header.number,
            transactions: finished.receipts.len(),
            gas: finished.gas_used,
        };
        self.blocks.push(BlockRecord {
            header: record.header,
            hash: record.hash,
            body: record.body,
            receipts: finished.receipts,
            leaves,
            codes: changes.codes.iter().map(|(hash, code)| (*hash, code.clone())).collect(),
        });
        Ok(imported)
    }

    /// Brings the tries to the end of the block. Gives the changed leaves, and the roots after each transaction where
    /// receipts hold them.
    fn update(
        &mut self,
        finished: &FinishedBlock,
        changes: &StateChanges,
    ) -> Result<(Vec<B256>, LeafUpdates), ImportError> {
        let (mut roots, mut leaves) = (Vec::new(), LeafUpdates::default());
        let parts = std::mem::take(&mut self.parts);
        if finished.block.receipts_hold_roots() {
            for part in finished.parts() {
                self.trie.update(&HashedChanges::new(&part.state_changes()), &self.source)?;
                let (root, changed) = self.trie.finish_block(&self.source)?;
                roots.push(root);
                leaves.extend(changed);
            }
            return Ok((roots, leaves));
        }
        if parts == 0 {
            self.trie.update(&HashedChanges::new(changes), &self.source)?;
        } else {
            for part in &finished.parts()[parts..] {
                self.trie.update(&HashedChanges::new(&part.state_changes()), &self.source)?;
            }
        }
        let (_, leaves) = self.trie.finish_block(&self.source)?;
        Ok((roots, leaves))
    }

    /// The blocks so far, if there are enough for a commit.
    pub(super) fn full_batch(&mut self) -> Option<Pending> {
        let full = self.leaves >= self.options.batch_leaves || self.blocks.len() >= self.options.batch_blocks;
        full.then(|| self.batch()).flatten()
    }

    /// The blocks so far.
    pub(super) fn batch(&mut self) -> Option<Pending> {
        if self.blocks.is_empty() {
            return None;
        }
        self.leaves = 0;
        let (epoch, nodes) = self.trie.take_nodes();
        Some(Pending { epoch, batch: Batch { blocks: std::mem::take(&mut self.blocks), nodes } })
    }

    /// Hears that an epoch is in the database, as `snapshot` shows it.
    pub(super) fn committed(&mut self, epoch: u64, snapshot: Snapshot) {
        self.source = snapshot;
        self.trie.prune(epoch, self.options.trie_nodes);
    }

    /// The good blocks that are left when a later one has failed and the tries are not to be used any more. All earlier
    /// blocks must have been committed.
    pub(super) fn rescue(self, database: &Database) -> Result<Option<Pending>, ImportError> {
        let mut fresh = Self::new(database.snapshot()?, &self.options)?;
        for block in self.blocks {
            fresh.trie.update(&block.leaves.changes(), &fresh.source)?;
            let (root, _) = fresh.trie.finish_block(&fresh.source)?;
            if root != block.header.state_root {
                return Err(ImportError::Internal("a state root cannot be reproduced"));
            }
            fresh.blocks.push(block);
        }
        Ok(fresh.batch())
    }
}
