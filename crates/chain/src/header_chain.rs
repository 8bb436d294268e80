use crate::codec::SealedBlock;
use crate::rules::{Ancestor, BlockError, GENERATIONS, validate_body, validate_header, validate_ommers};
use alloy_consensus::Header;
use alloy_primitives::{B256, Sealed, U256};
use std::collections::VecDeque;
use std::sync::Arc;
use tandem_evm::ChainSpec;
use thiserror::Error;

/// How many hashes the BLOCKHASH instruction can ask for.
const BLOCK_HASHES: usize = 256;

/// The end of a chain, as far as it takes to check the next block.
///
/// It follows blocks as they are checked, which may be ahead of their execution. A block that is refused leaves it as
/// it was.
#[derive(Clone, Debug)]
pub struct HeaderChain {
    chain: Arc<ChainSpec>,
    /// The last blocks, the tip last; never empty, at most [`GENERATIONS`].
    ancestors: VecDeque<Ancestor>,
    /// The hashes of the last blocks, the tip's last; never empty, at most [`BLOCK_HASHES`].
    hashes: VecDeque<B256>,
    /// The sum of all difficulties up to the tip's, if it is known.
    total_difficulty: Option<U256>,
}

/// Stored headers that do not follow one another.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum BrokenChain {
    /// There are none.
    #[error("there are no headers to continue from")]
    Empty,
    /// One is not the child of the one before it.
    #[error("block {number} ({hash}) does not follow the block stored before it")]
    Gap {
        /// The number of the one that does not fit.
        number: u64,
        /// Its hash.
        hash: B256,
    },
}

impl HeaderChain {
    /// The chain that consists of its genesis.
    pub fn new(chain: Arc<ChainSpec>, genesis: Sealed<Header>) -> Self {
        let total_difficulty = Some(genesis.difficulty);
        let hashes = VecDeque::from([genesis.hash()]);
        let ancestors = VecDeque::from([Ancestor { header: genesis, ommers: Vec::new() }]);
        Self { chain, ancestors, hashes, total_difficulty }
    }

    /// Continues a chain from its last blocks, the tip last: 256 if there are so many. Only the last seven need their
    /// ommers. `total_difficulty` is the sum of all difficulties up to the tip's; it is not needed after the merge or
    /// where the merge block is known.
    ///
    /// # Errors
    ///
    /// If the blocks do not follow one another. They are not checked otherwise.
    pub fn resume(
        chain: Arc<ChainSpec>,
        blocks: impl IntoIterator<Item = Ancestor>,
        total_difficulty: Option<U256>,
    ) -> Result<Self, BrokenChain> {
        let mut blocks = blocks.into_iter();
        let first = blocks.next().ok_or(BrokenChain::Empty)?;
        let mut resumed = Self { total_difficulty, ..Self::new(chain, first.header) };
        resumed.ancestors[0].ommers = first.ommers;
        for block in blocks {
            let (number, hash) = (block.header.number, block.header.hash());
            let tip = resumed.tip();
            if block.header.parent_hash != tip.hash() || Some(number) != tip.number.checked_add(1) {
                return Err(BrokenChain::Gap { number, hash });
            }
            resumed.remember(block);
        }
        let tip = resumed.tip().clone();
        resumed.find_merge(&tip);
        Ok(resumed)
    }

    /// Checks a block against the tip and makes it the tip: its header, its ommers, and its body.
    ///
    /// The hash that the block is sealed with is taken as it is.
    ///
    /// # Errors
    ///
    /// For the first rule that does not hold.
    pub fn push(&mut self, block: &SealedBlock) -> Result<(), BlockError> {
        self.check_header(&block.header, &block.body.ommers)?;
        validate_body(&self.chain, block)?;
        self.append(Sealed::new_unchecked(block.header.clone(), block.hash()), &block.body.ommers);
        Ok(())
    }

    /// Like [`HeaderChain::push`], but leaves the body unchecked, for a caller of [`validate_body`] elsewhere: it needs no
    /// more than the chain's rules. Ommers are those of the body.
    ///
    /// # Errors
    ///
    /// For the first rule that does not hold.
    pub fn push_header(&mut self, header: Sealed<Header>, ommers: &[Header]) -> Result<(), BlockError> {
        self.check_header(&header, ommers)?;
        self.append(header, ommers);
        Ok(())
    }

    /// The chain's rules. Once the merge has happened, they name its block; or a later one, if it had happened before
    /// [`HeaderChain::resume`].
    pub fn chain(&self) -> &Arc<ChainSpec> {
        &self.chain
    }

    /// The last block's header.
    pub fn tip(&self) -> &Sealed<Header> {
        &self.ancestors[self.ancestors.len() - 1].header
    }

    /// The sum of all difficulties up to the tip's, if it is known.
    pub fn total_difficulty(&self) -> Option<U256> {
        self.total_difficulty
    }

    /// The hash of the block with this number, if it is among the last 256.
    pub fn block_hash(&self, number: u64) -> Option<B256> {
        let back = usize::try_from(self.tip().number.checked_sub(number)?).ok()?;
        self.hashes.len().checked_sub(back + 1).map(|index| self.hashes[index])
    }

    /// Numbers and hashes of the last 256 blocks, in ascending order, the tip's last.
    pub fn block_hashes(&self) -> impl Iterator<Item = (u64, B256)> {
        let first = self.tip().number - (self.hashes.len() as u64 - 1);
        (first..).zip(self.hashes.iter().copied())
    }

    fn check_header(&mut self, header: &Header, ommers: &[Header]) -> Result<(), BlockError> {
        let tip = &self.ancestors[self.ancestors.len() - 1].header;
        validate_header(&self.chain, tip, self.total_difficulty, header)?;
        if !ommers.is_empty() {
            validate_ommers(&self.chain, header, ommers, self.ancestors.make_contiguous())?;
        }
        Ok(())
    }

    fn append(&mut self, header: Sealed<Header>, ommers: &[Header]) {
        self.find_merge(&header);
        self.total_difficulty = self.total_difficulty.map(|total| total.saturating_add(header.difficulty));
        self.remember(Ancestor { header, ommers: ommers.iter().map(Header::hash_slow).collect() });
    }

    /// Lets the rules name the merge block. Only proof of stake has a difficulty of zero.
    fn find_merge(&mut self, header: &Header) {
        let is_stake = header.difficulty.is_zero() && header.number > 0;
        let is_open = self.chain.merge_block().is_none() && self.chain.terminal_total_difficulty().is_some();
        if is_stake && is_open {
            self.chain = Arc::new(ChainSpec::clone(&self.chain).with_merge_at(header.number));
        }
    }

    fn remember(&mut self, block: Ancestor) {
        if self.hashes.len() == BLOCK_HASHES {
            self.hashes.pop_front();
        }
        self.hashes.push_back(block.header.hash());
        if self.ancestors.len() == GENERATIONS {
            self.ancestors.pop_front();
        }
        self.ancestors.push_back(block);
    }
}
