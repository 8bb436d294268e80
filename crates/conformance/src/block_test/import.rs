use crate::engines::Engine;
use crate::rejection::Rejection;
use crate::world::{Base, BlockHashes, World};
use alloy_consensus::Transaction;
use alloy_hardforks::EthereumHardfork;
use alloy_primitives::map::B256Map;
use alloy_primitives::{B256, Sealed, U256};
use std::sync::Arc;
use tandem_chain::{
    BlockError, ExecutionFields, HeaderChain, SealedBlock, decode_block, signed_block, validate_body,
    validate_execution,
};
use tandem_evm::revm::context::result::InvalidTransaction;
use tandem_evm::{
    BlockInput, ChainSpec, ExecutionError, FinishedBlock, StoreRef, receipts_root_before_byzantium,
};

/// All blocks that arrived and are valid, each with the state after it.
///
/// Every block is executed on its parent's state, whatever branch that is on; the chosen branch is the one with the
/// greatest total difficulty, and after the merge the longest.
pub(crate) struct Tree {
    blocks: B256Map<Node>,
    head: B256,
}

/// A block with all that its children need.
struct Node {
    chain: HeaderChain,
    world: World,
    /// Its results; nothing for the genesis.
    finished: Option<Arc<FinishedBlock>>,
}

/// Why a block was not added.
pub(crate) enum ImportError {
    /// It is not valid.
    Rejected(Rejection),
    /// Something failed that is not about the block.
    Fault(String),
}

impl From<Rejection> for ImportError {
    fn from(rejection: Rejection) -> Self {
        Self::Rejected(rejection)
    }
}

impl Tree {
    /// A tree of the genesis alone.
    pub(crate) fn new(chain: Arc<ChainSpec>, genesis: Sealed<alloy_consensus::Header>, world: World) -> Self {
        let head = genesis.hash();
        let genesis = Node { chain: HeaderChain::new(chain, genesis), world, finished: None };
        Self { blocks: B256Map::from_iter([(head, genesis)]), head }
    }

    /// The hash of the block at the end of the chosen branch.
    pub(crate) fn head(&self) -> B256 {
        self.head
    }

    /// The state after that block.
    pub(crate) fn head_state(&self) -> &World {
        &self.blocks[&self.head].world
    }

    /// Decodes a block, checks and executes it, and adds it. Gives its hash.
    pub(crate) fn import(&mut self, engine: &mut Engine, rlp: &[u8]) -> Result<B256, ImportError> {
        let block = decode_block(rlp).map_err(Rejection::Undecodable)?;
        let hash = block.hash();
        let parent_hash = block.header.parent_hash;
        let parent = self.blocks.get(&parent_hash).ok_or(Rejection::UnknownParent(parent_hash))?;
        let node = parent.child(engine, block)?;
        let is_better = node.rank() > self.blocks[&self.head].rank();
        self.blocks.insert(hash, node);
        if is_better {
            self.head = hash;
        }
        Ok(hash)
    }

    /// Executes the chosen branch once more, as one stream. Gives the first difference from what its blocks gave one by one.
    ///
    /// A branch of one block has been executed so already.
    pub(crate) fn replay(&self, engine: &mut Engine) -> Option<String> {
        let mut branch = Vec::new();
        let mut first = &self.blocks[&self.head];
        while let Some(finished) = &first.finished {
            branch.push(finished.clone());
            first = &self.blocks[&finished.block.header().parent_hash];
        }
        if branch.len() < 2 {
            return None;
        }
        branch.reverse();
        let base = Base { world: &first.world, block_hashes: BlockHashes::Chain(&first.chain) };
        engine.differs_in_stream(&StoreRef(&base), &branch)
    }

    /// All rules that a block breaks, as far as each can be told in spite of the others; none if it cannot be decoded or
    /// placed.
    ///
    /// Many tests spoil a block without making its header fit again, and state the reason that they have in mind.
    ///
    /// # Errors
    ///
    /// Something that is not about the block.
    pub(crate) fn faults(&self, engine: &mut Engine, rlp: &[u8]) -> Result<Vec<Rejection>, String> {
        let Ok(block) = decode_block(rlp) else { return Ok(Vec::new()) };
        let parent = self.blocks.get(&block.header.parent_hash);
        parent.map_or_else(|| Ok(Vec::new()), |parent| parent.faults(engine, block))
    }
}

fn unfit(error: BlockError) -> Rejection {
    Rejection::Unfit(Box::new(error))
}

impl Node {
    /// The measure of a branch; the first of equals stays.
    fn rank(&self) -> (U256, u64) {
        (self.chain.total_difficulty().unwrap_or_default(), self.chain.tip().number)
    }

    fn child(&self, engine: &mut Engine, block: SealedBlock) -> Result<Self, ImportError> {
        let mut chain = self.chain.clone();
        chain.push(&block).map_err(unfit)?;
        let finished = self.execute(engine, chain.chain(), block)?;
        let world = self.after(chain.chain(), &finished)?;
        Ok(Self { chain, world, finished: Some(Arc::new(finished)) })
    }

    /// All rules that a block breaks, as far as each can be told in spite of the others.
    fn faults(&self, engine: &mut Engine, block: SealedBlock) -> Result<Vec<Rejection>, String> {
        let mut chain = self.chain.clone();
        let header = Sealed::new_unchecked(block.header.clone(), block.hash());
        let header = chain.push_header(header, &block.body.ommers);
        let body = validate_body(chain.chain(), &block);
        // Execution ends at a transaction's first fault; this one it shares with no other rule of a transaction alone.
        let gas_limit = block.header.gas_limit;
        let asks_too_much =
            block.body.transactions.iter().any(|transaction| transaction.gas_limit() > gas_limit);
        let asked =
            asks_too_much.then_some(Rejection::Transaction(InvalidTransaction::CallerGasLimitMoreThanBlock));
        let executed = self.execute(engine, chain.chain(), block);
        let executed = executed.and_then(|finished| Ok(self.after(chain.chain(), &finished)?));
        let executed = match executed {
            Ok(_) => None,
            Err(ImportError::Rejected(rejection)) => Some(rejection),
            Err(ImportError::Fault(fault)) => return Err(fault),
        };
        let header = header.err().map(unfit);
        let body = body.err().map(|error| unfit(error.into()));
        Ok([header, body, asked, executed].into_iter().flatten().collect())
    }

    fn execute(
        &self,
        engine: &mut Engine,
        chain: &Arc<ChainSpec>,
        block: SealedBlock,
    ) -> Result<FinishedBlock, ImportError> {
        let block = signed_block(chain, block.into_inner()).recover_alone().map_err(Rejection::Sender)?;
        let base = Base { world: &self.world, block_hashes: BlockHashes::Chain(&self.chain) };
        let store = StoreRef(&base);
        match engine.execute_all(&[BlockInput::new(block, &store)]).pop() {
            Some(Ok(finished)) => Ok(finished),
            Some(Err(ExecutionError::Transaction { error, .. })) => Err(Rejection::Transaction(error).into()),
            Some(Err(ExecutionError::Block { error, .. })) => Err(Rejection::Block(error).into()),
            Some(Err(error)) => Err(ImportError::Fault(error.to_string())),
            None => Err(ImportError::Fault("the engine gave no result".to_owned())),
        }
    }

    /// The state after a block, whose header must state what execution gave.
    fn after(&self, chain: &ChainSpec, finished: &FinishedBlock) -> Result<World, Rejection> {
        let header = finished.block.header();
        let mut world = self.world.clone();
        let has_status = chain.is_active(EthereumHardfork::Byzantium, header.number, header.timestamp);
        let mut roots = Vec::new();
        for part in finished.parts() {
            world.apply(&part.state_changes());
            if !has_status {
                roots.push(world.state_root());
            }
        }
        let mut executed = ExecutionFields::new(chain, finished, Some(world.state_root()));
        if !has_status {
            executed.receipts_root = Some(receipts_root_before_byzantium(&finished.receipts, &roots));
        }
        validate_execution(header, &executed).map_err(|mismatch| Rejection::Execution(mismatch.fault))?;
        Ok(world)
    }
}
