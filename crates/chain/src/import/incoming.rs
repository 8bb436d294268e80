use super::ImportError;
use super::report::Stages;
use crate::codec::{ChainFile, FileBlock, SealedBlock, signed_block};
use crate::header_chain::HeaderChain;
use crate::rules::validate_body;
use alloy_consensus::Header;
use alloy_primitives::B256;
use std::path::PathBuf;
use std::sync::Arc;
use tandem_evm::{Block, ChainSpec};
use tandem_state::database::{BlockBody, Snapshot};

/// A block that follows its parent; its body is not checked yet.
#[derive(Debug)]
pub(super) struct Incoming {
    path: Arc<PathBuf>,
    index: u64,
    chain: Arc<ChainSpec>,
    block: SealedBlock,
}

/// What the database keeps of a block besides what execution gives.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) header: Header,
    pub(super) hash: B256,
    pub(super) body: BlockBody,
    pub(super) chain: Arc<ChainSpec>,
}

/// A block that is ready to execute.
#[derive(Debug)]
pub(super) struct Ready {
    pub(super) block: Block,
    pub(super) record: Record,
}

impl Incoming {
    /// Checks the body and recovers the senders. Waits for no other thread, since execution waits for this.
    pub(super) fn prepare(self, stages: &Stages) -> Result<Ready, ImportError> {
        stages.recover.time(|| {
            let Self { path, index, chain, block } = self;
            if let Err(error) = validate_body(&chain, &block) {
                return Err(ImportError::Block {
                    path: path.to_path_buf(),
                    index,
                    error: Box::new(error.into()),
                });
            }
            let (block, hash) = block.split();
            let record =
                Record { header: block.header.clone(), hash, body: block.body.clone(), chain: chain.clone() };
            let block = signed_block(&chain, block).recover_alone()?;
            Ok(Ready { block, record })
        })
    }
}

/// The blocks of files that the database does not have yet, in order, each checked against the one before it.
pub(super) struct Reader {
    files: std::vec::IntoIter<PathBuf>,
    current: Option<(Arc<PathBuf>, ChainFile)>,
    chain: HeaderChain,
    /// The database as the import found it, until there are blocks that it does not have.
    known: Option<Snapshot>,
    /// Blocks passed over because the database has them.
    pub(super) skipped: u64,
    stages: Arc<Stages>,
    ended: bool,
}

impl Reader {
    /// `known` is the database, of which `chain` is the end.
    pub(super) fn new(files: Vec<PathBuf>, chain: HeaderChain, known: Snapshot, stages: Arc<Stages>) -> Self {
        let (files, known) = (files.into_iter(), Some(known));
        Self { files, current: None, chain, known, skipped: 0, stages, ended: false }
    }

    fn read(&mut self) -> Result<Option<Incoming>, ImportError> {
        loop {
            let Some((path, file)) = &mut self.current else {
                let Some(path) = self.files.next() else { return Ok(None) };
                let file = ChainFile::open(&path)?;
                self.current = Some((Arc::new(path), file));
                continue;
            };
            let Some(block) = file.next() else {
                self.current = None;
                continue;
            };
            let (path, block) = (path.clone(), block?);
            if let Some(incoming) = self.check(&path, block)? {
                return Ok(Some(incoming));
            }
        }
    }

    /// Checks the header and the ommers; `None` for a block that the database has.
    fn check(&mut self, path: &Arc<PathBuf>, block: FileBlock) -> Result<Option<Incoming>, ImportError> {
        let FileBlock { index, block, .. } = block;
        let (number, hash) = (block.header.number, block.hash());
        let head = self.chain.tip().number;
        if let Some(known) = &self.known {
            if number <= head {
                if known.block_number(hash)? == Some(number) {
                    self.skipped += 1;
                    return Ok(None);
                }
                return Err(ImportError::Fork { path: path.to_path_buf(), index, number, hash });
            }
            // A snapshot that is kept would keep the database from reusing space.
            self.known = None;
        }
        if number > head + 1 {
            return Err(ImportError::Gap { path: path.to_path_buf(), index, number, head });
        }
        let header = alloy_primitives::Sealed::new_unchecked(block.header.clone(), hash);
        self.chain.push_header(header, &block.body.ommers).map_err(|error| ImportError::Block {
            path: path.to_path_buf(),
            index,
            error: Box::new(error),
        })?;
        Ok(Some(Incoming { path: path.clone(), index, chain: self.chain.chain().clone(), block }))
    }
}

impl Iterator for Reader {
    type Item = Result<Incoming, ImportError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let stages = self.stages.clone();
        let item = stages.read.time(|| self.read()).transpose();
        self.ended = !matches!(item, Some(Ok(_)));
        item
    }
}
