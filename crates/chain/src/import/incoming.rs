use super::error::ImportError;
use super::report::Stages;
use crate::codec::{ChainFile, FileBlock, SealedBlock, signed_block};
use crate::header_chain::HeaderChain;
use crate::rules::validate_body;
use alloy_consensus::Header;
use alloy_primitives::B256;
use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;
use tandem_evm::{Block, ChainSpec};
use tandem_state::database::{BlockBody, Database};

/// Blocks after which the database is asked which of them it has.
const FORGET_AFTER: usize = 1024;

/// A block that follows its parent; its body is not checked yet.
#[derive(Debug)]
pub(super) struct Incoming {
    path: Arc<PathBuf>,
    index: u64,
    /// Bytes of its RLP.
    pub(super) length: usize,
    chain: Arc<ChainSpec>,
    block: SealedBlock,
}

/// The parts of a block that the database keeps besides the results of execution.
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
    /// Bytes of its RLP.
    pub(super) length: usize,
    pub(super) block: Block,
    pub(super) record: Record,
}

impl Incoming {
    /// Checks the body and recovers the senders. Waits for no other thread, since execution waits for this.
    pub(super) fn prepare(self, stages: &Stages) -> Result<Ready, ImportError> {
        stages.recover.time(|| {
            let Self { path, index, length, chain, block } = self;
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
            Ok(Ready { length, block, record })
        })
    }
}

/// The blocks of files that are not there yet, in order, each checked against the one before it.
pub(super) struct Reader<'a> {
    files: std::vec::IntoIter<PathBuf>,
    current: Option<(Arc<PathBuf>, ChainFile)>,
    chain: HeaderChain,
    database: &'a Database,
    /// The hashes of the last blocks that were read, the tip's last: all that may not be in the database yet.
    recent: VecDeque<B256>,
    /// Blocks passed over because they are there already.
    pub(super) skipped: u64,
    stages: Arc<Stages>,
    ended: bool,
}

impl<'a> Reader<'a> {
    /// `chain` is the end of the chain in the database.
    pub(super) fn new(
        files: Vec<PathBuf>,
        chain: HeaderChain,
        database: &'a Database,
        stages: Arc<Stages>,
    ) -> Self {
        let (files, recent) = (files.into_iter(), VecDeque::new());
        Self { files, current: None, chain, database, recent, skipped: 0, stages, ended: false }
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

    /// Checks the header and the ommers; `None` for a block that is there already.
    fn check(&mut self, path: &Arc<PathBuf>, block: FileBlock) -> Result<Option<Incoming>, ImportError> {
        let FileBlock { index, length, block, .. } = block;
        let (number, hash) = (block.header.number, block.hash());
        let head = self.chain.tip().number;
        if number <= head {
            if self.has(number, hash)? {
                self.skipped += 1;
                return Ok(None);
            }
            let path = path.to_path_buf();
            return Err(match number {
                0 => ImportError::OtherGenesis { path, index, genesis: self.genesis()?, found: hash },
                _ => ImportError::Fork { path, index, number, hash },
            });
        }
        if number > head + 1 {
            return Err(ImportError::Gap { path: path.to_path_buf(), index, number, head });
        }
        let header = alloy_primitives::Sealed::new_unchecked(block.header.clone(), hash);
        let is_of_genesis = head > 0 || block.header.parent_hash == self.chain.tip().hash();
        self.chain.push_header(header, &block.body.ommers).map_err(|error| {
            let (path, error) = (path.to_path_buf(), Box::new(error));
            match is_of_genesis {
                true => ImportError::Block { path, index, error },
                false => ImportError::NotOfGenesis { path, index, error },
            }
        })?;
        self.remember(hash)?;
        Ok(Some(Incoming { path: path.clone(), index, length, chain: self.chain.chain().clone(), block }))
    }

    /// Whether a block that is not above the tip is of this chain.
    fn has(&self, number: u64, hash: B256) -> Result<bool, ImportError> {
        let below = usize::try_from(self.chain.tip().number - number).unwrap_or(usize::MAX);
        match self.recent.iter().rev().nth(below) {
            Some(recent) => Ok(*recent == hash),
            // A snapshot that was kept would keep the database from reusing space.
            None => Ok(self.database.snapshot()?.block_number(hash)? == Some(number)),
        }
    }

    /// Notes the new tip, and forgets blocks that the database has.
    fn remember(&mut self, hash: B256) -> Result<(), ImportError> {
        self.recent.push_back(hash);
        if self.recent.len().is_multiple_of(FORGET_AFTER) {
            let head = self.database.head()?.map_or(0, |head| head.number);
            let missing = self.chain.tip().number.saturating_sub(head);
            let missing = usize::try_from(missing).unwrap_or(usize::MAX).min(self.recent.len());
            self.recent.drain(..self.recent.len() - missing);
        }
        Ok(())
    }

    fn genesis(&self) -> Result<B256, ImportError> {
        Ok(self.database.snapshot()?.genesis().unwrap_or_default())
    }
}

impl Iterator for Reader<'_> {
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
