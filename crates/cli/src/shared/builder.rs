use super::failure::Failure;
use alloy_consensus::transaction::Recovered;
use alloy_consensus::{BlockBody, EMPTY_ROOT_HASH, Header};
use alloy_primitives::{Address, B256, Bytes, Sealed, keccak256};
use rayon::prelude::*;
use std::sync::Arc;
use tandem_chain::{BlockAttributes, ExecutionFields, SealedBlock, next_base_fee, next_header, seal};
use tandem_evm::{
    Block, ChainSpec, Executor, PlainBlock, PlainExecutor, Receipt, StoreRef, logs_bloom, receipts_root,
};
use tandem_state::trie::{HashedAccount, HashedChanges, NoSource, StateTrie};
use tandem_state::{MemoryStore, StateChanges};
use tandem_workload::{Chain, ChainConfig, Genesis, GenesisAccount, Proposal, Proposer};

/// Accounts of the genesis state that are hashed at once; memory grows with it.
const CHUNK: usize = 1 << 16;

/// Builds a chain in memory, block after block: proposes, executes, hashes and seals.
///
/// It executes with the plain revm loop, so that what headers state is not the engine's own word.
pub(crate) struct Builder<'e> {
    executor: &'e Executor,
    chain: Arc<ChainSpec>,
    genesis: Genesis,
    proposer: Proposer,
    state: MemoryStore,
    tries: StateTrie,
    parent: Sealed<Header>,
    plain: PlainExecutor,
}

/// A chain without its tries: for blocks that are built and not sealed.
pub(crate) struct Unsealed {
    pub(crate) chain: Arc<ChainSpec>,
    pub(crate) proposer: Proposer,
    /// The state after the last block.
    pub(crate) state: MemoryStore,
    /// The header of the last block.
    pub(crate) parent: Sealed<Header>,
}

/// A block, and how it came about.
pub(crate) struct Built {
    pub(crate) sealed: SealedBlock,
    pub(crate) senders: Vec<Address>,
    /// As it was executed: its header lacks the results of execution.
    pub(crate) block: Block,
    pub(crate) receipts: Vec<Receipt>,
    pub(crate) changes: StateChanges,
}

impl<'e> Builder<'e> {
    /// Builds the genesis state. `progress` gets the number of accounts hashed since it was called last.
    pub(crate) fn new(
        executor: &'e Executor,
        config: &ChainConfig,
        progress: impl Fn(usize),
    ) -> Result<Self, Failure> {
        let threads = executor.background();
        let Chain { genesis, proposer } = threads.run(|| Chain::new(config)).map_err(Failure::input)?;
        let header =
            tandem_chain::Genesis::read(&*genesis.json_without_accounts()).map_err(Failure::fault)?;
        let mut tries = StateTrie::new(EMPTY_ROOT_HASH);
        let mut state = MemoryStore::new();
        let mut accounts = genesis.accounts();
        loop {
            let chunk: Vec<_> = accounts.by_ref().take(CHUNK).collect();
            if chunk.is_empty() {
                break;
            }
            let hashed = threads.run(|| HashedChanges { accounts: chunk.par_iter().map(hash).collect() });
            threads.run(|| tries.update(&hashed, &NoSource)).map_err(Failure::fault)?;
            threads.run(|| tries.finish_block(&NoSource)).map_err(Failure::fault)?;
            chunk.iter().for_each(|account| account.place(&mut state));
            progress(chunk.len());
        }
        drop(accounts);
        let chain = Arc::new(header.chain().clone());
        let parent = Sealed::new(header.header(tries.root()));
        let plain = PlainExecutor::new();
        Ok(Self { executor, chain, genesis, proposer, state, tries, parent, plain })
    }

    pub(crate) fn into_unsealed(self) -> Unsealed {
        let Self { chain, proposer, state, parent, .. } = self;
        Unsealed { chain, proposer, state, parent }
    }

    pub(crate) fn chain(&self) -> &Arc<ChainSpec> {
        &self.chain
    }

    pub(crate) fn genesis(&self) -> &Genesis {
        &self.genesis
    }

    /// The state after the last block.
    pub(crate) fn state(&self) -> &MemoryStore {
        &self.state
    }

    /// The header of the last block.
    pub(crate) fn head(&self) -> &Sealed<Header> {
        &self.parent
    }

    /// The next block. The state is left as it was before it: see [`Self::advance`].
    pub(crate) fn build(&mut self) -> Result<Built, Failure> {
        let threads = self.executor.background();
        let base_fee = next_base_fee(&self.chain, &self.parent).unwrap_or_default();
        let proposal = threads.run(|| self.proposer.propose(base_fee)).map_err(Failure::fault)?;
        let attributes = attributes(&proposal);
        let Proposal { transactions, senders, withdrawals, .. } = proposal;
        let header = next_header(&self.chain, &self.parent, None, &attributes);
        let recovered = transactions
            .iter()
            .zip(&senders)
            .map(|(transaction, sender)| Recovered::new_unchecked(transaction.clone(), *sender));
        let block = Block::new(&self.chain, header.clone(), recovered, Vec::new(), withdrawals.clone());
        let store = StoreRef(&self.state);
        let executed = self.plain.execute(&store, &block).map_err(Failure::fault)?;
        let changes = executed.state_changes(&store).map_err(Failure::fault)?;
        let PlainBlock { receipts, gas_used, summary, .. } = executed;
        let executed = threads.run(|| -> Result<_, Failure> {
            let hashed = HashedChanges::new(&changes);
            self.tries.update(&hashed, &NoSource).map_err(Failure::fault)?;
            let (root, _) = self.tries.finish_block(&NoSource).map_err(Failure::fault)?;
            Ok(ExecutionFields {
                gas_used,
                logs_bloom: logs_bloom(&receipts),
                receipts_root: Some(receipts_root(&receipts)),
                requests_hash: summary.requests.map(|requests| requests.requests_hash()),
                state_root: Some(root),
            })
        })?;
        let body = BlockBody { transactions, ommers: Vec::new(), withdrawals: Some(withdrawals) };
        let sealed =
            seal(&self.chain, &self.parent, None, header, body, &executed).map_err(Failure::fault)?;
        Ok(Built { sealed, senders, block, receipts, changes })
    }

    /// Goes on to the state after a block that was just built.
    pub(crate) fn advance(&mut self, built: &Built) {
        built.changes.apply(&mut self.state);
        self.state.set_block_hash(built.sealed.number, built.sealed.hash());
        self.parent = Sealed::new_unchecked(built.sealed.header.clone(), built.sealed.hash());
    }
}

/// The header that a proposal asks for.
pub(crate) fn attributes(proposal: &Proposal) -> BlockAttributes {
    BlockAttributes {
        timestamp: proposal.timestamp,
        beneficiary: proposal.beneficiary,
        gas_limit: proposal.gas_limit,
        extra_data: Bytes::from_static(b"tandem"),
        prev_randao: proposal.prev_randao,
        parent_beacon_block_root: proposal.parent_beacon_block_root,
    }
}

fn hash(genesis: &GenesisAccount<'_>) -> (B256, HashedAccount) {
    let mut storage: Vec<_> =
        genesis.storage().map(|(slot, value)| (keccak256(slot.to_be_bytes::<32>()), value)).collect();
    storage.par_sort_unstable_by_key(|(key, _)| *key);
    let account = Some(Some(genesis.account()));
    let hashed = HashedAccount { account, storage_wiped: false, storage };
    (keccak256(genesis.address), hashed)
}
