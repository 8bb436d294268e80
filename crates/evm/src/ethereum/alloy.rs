//! Blocks executed by alloy-evm's executor over revm's `State`, as nodes do it that are built on these: it commits after every
//! transaction, so that nothing goes from one to the next but what the state holds.
//!
//! Where alloy-evm 0.39 is not Ethereum, it is helped here:
//!
//! * It gives system calls 31,566,720 gas in every fork, Amsterdam's. Before, it is 30,000,000 (EIPs 4788, 2935, 7002, 7251).
//! * It calls a system contract without code and takes the empty answer for no requests. The block is invalid (EIPs 7002, 7251).
//! * It decodes deposits by the ABI, which knows more layouts than one, and refuses logs with further topics. A deposit has exactly one
//!   layout, and only the first topic counts (EIP-6110).
//! * It looks at the block's gas before it looks at the transaction, so that it names another fault of a transaction with both.
//! * It moves the DAO's funds after the block's transactions. They move before (the DAO fork's specification).
//! * It knows no other gas of SSTORE between Constantinople and Petersburg than after (EIP-1283).
//!
//! Three faults are left:
//!
//! * It lets balances stop at 2^256 - 1 where rewards and withdrawals overflow. What overflows is dropped elsewhere, as revm does with
//!   fees. No chain has that much.
//! * It creates contracts where there is storage but neither nonce nor code (EIP-7610): see [`AlloyExecutor::may_differ`].
//! * revm's `State` removes an empty account that a transaction touches in every fork. Before EIP-161 it stays: the DAO's fork leaves such
//!   accounts.

mod bundle;
mod evm;
mod transaction;

use super::chain_spec::ChainSpec;
use super::deposits;
use super::receipts::Receipt;
use crate::code;
use crate::error::{ExecutionError, InvalidBlock};
use crate::protocol;
use crate::state::{BaseState, Fault, StoreError};
use alloy_consensus::TxType;
use alloy_eips::eip6110::DEPOSIT_REQUEST_TYPE;
use alloy_eips::eip7685::Requests;
use alloy_eips::{eip7002, eip7251};
use alloy_evm::block::{BlockExecutionError, BlockExecutor, BlockValidationError};
use alloy_evm::eth::dao_fork::{DAO_HARDFORK_ACCOUNTS, DAO_HARDFORK_BENEFICIARY};
use alloy_evm::eth::receipt_builder::{ReceiptBuilder, ReceiptBuilderCtx};
use alloy_evm::eth::spec::EthExecutorSpec;
use alloy_evm::eth::{EthBlockExecutionCtx, EthBlockExecutor};
use alloy_evm::{Database as AlloyDatabase, Evm};
use alloy_hardforks::{EthereumHardfork, EthereumHardforks, ForkCondition};
use alloy_primitives::map::B256Map;
use alloy_primitives::{Address, B256, U256};
pub use bundle::bundle_difference;
use evm::SpecifiedEvm;
use revm::bytecode::Bytecode;
use revm::context::TxEnv;
use revm::context::result::EVMError;
use revm::database::states::bundle_state::BundleRetention;
use revm::database::{BundleState, DatabaseCommitExt, State};
use revm::database_interface::{DBErrorMarker, Database, DatabaseRef};
use revm::primitives::hardfork::SpecId;
use revm::state::AccountInfo;
use std::fmt;
use std::sync::Arc;

/// alloy-evm's `EthBlockExecutor` over a fresh [`State`] for each block, with bundle updates. Each code is analysed once, as in the
/// plain loop.
#[derive(Debug, Default)]
pub struct AlloyExecutor {
    codes: B256Map<Bytecode>,
}

/// A block executed by alloy-evm.
#[derive(Clone, Debug)]
pub struct AlloyBlock {
    /// One receipt a transaction.
    pub receipts: Vec<Receipt>,
    /// Gas used by all transactions.
    pub gas_used: u64,
    /// The block's requests (EIP-7685); `None` before Prague.
    pub requests: Option<Requests>,
    /// The block's changes, with reverts.
    pub bundle: BundleState,
}

type Block = protocol::Block<ChainSpec>;
type Transaction = protocol::transaction::Transaction<Arc<TxEnv>>;

/// revm's `State` over a store.
type StateOver<'s> = State<Db<'s>>;

impl AlloyExecutor {
    /// An executor that knows no code yet.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # let chain = Arc::new(tandem_evm::ChainSpec::known(1).unwrap());
    /// # let header = alloy_consensus::Header { number: 1, ..Default::default() };
    /// # let block = tandem_evm::Block::new(&chain, header, [], vec![], Default::default());
    /// # let store = tandem_evm::StoreRef(&tandem_state::MemoryStore::default());
    /// let executed = tandem_evm::AlloyExecutor::new().execute(&store, &block).unwrap();
    /// assert_eq!((executed.gas_used, executed.bundle.state.len()), (0, 1));
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    /// Executes one block on the state in `store`.
    ///
    /// # Errors
    ///
    /// If the block is invalid or the store fails.
    pub fn execute<S: DatabaseRef>(
        &mut self,
        store: &S,
        block: &Block,
    ) -> Result<AlloyBlock, ExecutionError<S::Error>> {
        self.execute_on(store, block).map_err(ExecutionError::of_store)
    }

    /// Why results of a block may be others than Ethereum's, if they may.
    pub fn may_differ(block: &Block) -> Option<&'static str> {
        if !block.protocol().collisions().is_empty() {
            return Some("alloy-evm creates where there is storage (EIP-7610)");
        }
        let moves_funds = block.protocol().is_dao_fork(block.id().number) && block.has_system_steps();
        moves_funds.then_some(
            "revm's State removes accounts that the DAO's fork empties, where a transaction touches them",
        )
    }

    fn execute_on(
        &mut self,
        store: &dyn BaseState,
        block: &Block,
    ) -> Result<AlloyBlock, ExecutionError<Fault>> {
        block.check()?;
        let db = Db {
            store,
            codes: std::mem::take(&mut self.codes),
            delegates: block.is_enabled(SpecId::PRAGUE),
            parent: (block.id().number.wrapping_sub(1), block.header().parent_hash),
            error: None,
        };
        let mut state = State::builder().with_database(db).with_bundle_update().build();
        let executed = execute(&mut state, block);
        self.codes = std::mem::take(&mut state.database.codes);
        match state.database.error.take() {
            Some(error) => Err(error.in_block(block.id())),
            None => executed,
        }
    }
}

/// Contracts that give requests, of withdrawals and of consolidations.
const SYSTEM_CONTRACTS: [Address; 2] =
    [eip7002::WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS, eip7251::CONSOLIDATION_REQUEST_PREDEPLOY_ADDRESS];

fn execute(state: &mut StateOver<'_>, block: &Block) -> Result<AlloyBlock, ExecutionError<Fault>> {
    let invalid = |error| ExecutionError::Block { block: block.id(), error };
    if block.has_system_steps() {
        move_dao_funds(state, block)?;
    }
    let context = EthBlockExecutionCtx {
        parent_hash: block.header().parent_hash,
        parent_beacon_block_root: Some(block.header().parent_beacon_block_root.unwrap_or_default()),
        ommers: &block.body().ommers,
        withdrawals: Some(block.body().withdrawals.as_slice().into()),
        extra_data: block.header().extra_data.clone(),
        tx_count_hint: Some(block.transactions.len()),
        slot_number: None,
    };
    let evm = SpecifiedEvm::new(block, &mut *state);
    let mut executor = EthBlockExecutor::new(evm, context, Forks(Arc::clone(block.protocol())), Receipts);
    if block.has_system_steps() {
        executor.apply_pre_execution_changes().map_err(|error| internal(block, &error))?;
    }
    let mut deposits = Vec::new();
    for (index, transaction) in block.transactions.iter().enumerate() {
        executor
            .execute_transaction(transaction)
            .map_err(|error| refusal(block, index, executor.evm_mut(), error))?;
        if block.has_requests() {
            let logs = executor.receipts().last().map(|receipt| receipt.logs.as_slice());
            deposits::add(block.protocol().deposit_contract(), logs.unwrap_or_default(), &mut deposits)
                .map_err(invalid)?;
        }
    }
    if block.has_requests() {
        for contract in SYSTEM_CONTRACTS {
            let account = executor.evm_mut().db_mut().basic(contract);
            let account = account.map_err(|error| internal(block, &error))?;
            if account.is_none_or(|account| account.is_empty_code_hash()) {
                return Err(invalid(InvalidBlock::NoSystemContract(contract)));
            }
        }
    }
    let [withdrawals, consolidations] = SYSTEM_CONTRACTS.map(InvalidBlock::SystemCall);
    let finished = if block.has_system_steps() {
        executor.finish().map(|(_, result)| (result.receipts, result.gas_used, result.requests))
    } else {
        Ok((executor.receipts, executor.cumulative_tx_gas_used, Requests::default()))
    };
    let (receipts, gas_used, called) = match finished {
        Ok(finished) => finished,
        Err(BlockExecutionError::Validation(BlockValidationError::WithdrawalRequestsContractCall {
            ..
        })) => return Err(invalid(withdrawals)),
        Err(BlockExecutionError::Validation(BlockValidationError::ConsolidationRequestsContractCall {
            ..
        })) => return Err(invalid(consolidations)),
        Err(error) => return Err(internal(block, &error)),
    };
    let mut requests = Requests::default();
    if !deposits.is_empty() {
        requests.push_request_with_type(DEPOSIT_REQUEST_TYPE, deposits);
    }
    requests.extend(called);
    state.merge_transitions(BundleRetention::Reverts);
    Ok(AlloyBlock {
        receipts,
        gas_used,
        requests: block.has_requests().then_some(requests),
        bundle: state.take_bundle(),
    })
}

/// What cannot happen, or what the store's error stands for.
fn internal(block: &Block, error: &dyn fmt::Display) -> ExecutionError<Fault> {
    ExecutionError::Internal(format!("block {}: {error}", block.id()))
}

/// The irregular state change of the DAO fork, if this is its block.
fn move_dao_funds(state: &mut StateOver<'_>, block: &Block) -> Result<(), ExecutionError<Fault>> {
    if !block.protocol().is_dao_fork(block.id().number) {
        return Ok(());
    }
    let mut sum = U256::ZERO;
    for address in DAO_HARDFORK_ACCOUNTS {
        let account = state.basic(address).map_err(|error| internal(block, &error))?;
        sum = sum.saturating_add(account.unwrap_or_default().balance);
    }
    // alloy-evm counts in 128 bits, which all ether there is fits into.
    let sum = u128::try_from(sum).map_err(|_| internal(block, &"the DAO's funds are more than 2^128 wei"))?;
    let drained = state.drain_balances(DAO_HARDFORK_ACCOUNTS).map(drop);
    drained
        .and_then(|()| state.increment_balances([(DAO_HARDFORK_BENEFICIARY, sum)]))
        .map_err(|error| internal(block, &error))
}

/// Why a transaction was refused: for what is wrong with it, if anything is, else for the block's gas.
fn refusal<DB: AlloyDatabase>(
    block: &Block,
    index: usize,
    evm: &mut SpecifiedEvm<DB>,
    error: BlockExecutionError,
) -> ExecutionError<Fault> {
    let Transaction { hash, tx: ref env, .. } = block.transactions[index];
    let of_transaction = |error| ExecutionError::Transaction { block: block.id(), index, hash, error };
    match error {
        BlockExecutionError::Validation(BlockValidationError::InvalidTx { error, .. }) => {
            match error.as_invalid_tx_err() {
                Some(error) => of_transaction(error.clone()),
                None => internal(block, &error),
            }
        }
        BlockExecutionError::Validation(
            BlockValidationError::TransactionGasLimitMoreThanAvailableBlockGas {
                transaction_gas_limit: wanted,
                block_available_gas: available,
            },
        ) => match evm.transact(env.as_ref().clone()) {
            Err(EVMError::Transaction(error)) => of_transaction(error),
            _ => {
                let error = InvalidBlock::GasLimit { index, wanted, available };
                ExecutionError::Block { block: block.id(), error }
            }
        },
        other => internal(block, &other),
    }
}

/// The store with the codes that were used before.
struct Db<'s> {
    store: &'s dyn BaseState,
    codes: B256Map<Bytecode>,
    /// Whether codes can be delegations (EIP-7702).
    delegates: bool,
    parent: (u64, B256),
    /// What the store said when it failed, which alloy-evm may turn into a text.
    error: Option<StoreError>,
}

/// The store has failed: see [`Db::error`].
#[derive(Debug, thiserror::Error)]
#[error("the store failed")]
struct Failed;

impl DBErrorMarker for Failed {}

impl fmt::Debug for Db<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Db").field("error", &self.error).finish_non_exhaustive()
    }
}

impl Db<'_> {
    fn note<T>(&mut self, read: Result<T, StoreError>) -> Result<T, Failed> {
        read.map_err(|error| {
            self.error.get_or_insert(error);
            Failed
        })
    }
}

impl Database for Db<'_> {
    type Error = Failed;

    fn basic(&mut self, address: Address) -> Result<Option<AccountInfo>, Failed> {
        let mut info = self.note(self.store.account(address))?;
        if let Some(code) = info.as_mut().and_then(|info| info.code.as_mut()) {
            *code = code::under_rules(code, self.delegates);
        }
        Ok(info)
    }

    fn code_by_hash(&mut self, code_hash: B256) -> Result<Bytecode, Failed> {
        if let Some(code) = self.codes.get(&code_hash) {
            return Ok(code::under_rules(code, self.delegates));
        }
        let code = self.note(self.store.code(code_hash))?;
        let executed = code::under_rules(&code, self.delegates);
        self.codes.insert(code_hash, code);
        Ok(executed)
    }

    fn storage(&mut self, address: Address, slot: U256) -> Result<U256, Failed> {
        self.note(self.store.slot(address, slot))
    }

    fn block_hash(&mut self, number: u64) -> Result<B256, Failed> {
        if number == self.parent.0 {
            return Ok(self.parent.1);
        }
        self.note(self.store.block_hash(number))
    }
}

/// The chain's forks, with nothing to do at the DAO's, and nowhere to look for deposits.
#[derive(Clone, Debug)]
struct Forks(Arc<ChainSpec>);

impl EthereumHardforks for Forks {
    fn ethereum_fork_activation(&self, fork: EthereumHardfork) -> ForkCondition {
        match fork {
            EthereumHardfork::Dao => ForkCondition::Never,
            fork => self.0.hardforks().ethereum_fork_activation(fork),
        }
    }
}

impl EthExecutorSpec for Forks {
    fn deposit_contract_address(&self) -> Option<Address> {
        Some(Address::ZERO)
    }
}

/// Makes receipts as they are everywhere else here.
#[derive(Debug)]
struct Receipts;

impl ReceiptBuilder for Receipts {
    type Transaction = Transaction;
    type Receipt = Receipt;

    fn build_receipt<E: Evm>(&self, ctx: ReceiptBuilderCtx<'_, TxType, E>) -> Receipt {
        Receipt {
            tx_type: ctx.tx_type,
            success: ctx.result.is_success(),
            cumulative_gas_used: ctx.cumulative_gas_used,
            logs: ctx.result.into_logs(),
        }
    }
}
