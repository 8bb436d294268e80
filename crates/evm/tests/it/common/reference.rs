//! Blocks executed by alloy-evm's executor over revm's `State`, as nodes do it that are built on these: it commits after every
//! transaction, so that nothing goes from one to the next but what the state holds.
//!
//! Where alloy-evm 0.39 is not Ethereum, what Ethereum does is said here:
//!
//! * It gives system calls 31,566,720 gas in every fork, Amsterdam's. Before, it is 30,000,000 (EIPs 4788, 2935, 7002, 7251).
//! * It calls a system contract without code and takes the empty answer for no requests. The block is invalid (EIPs 7002, 7251).
//! * It decodes deposits by the ABI, which knows more layouts than one, and refuses logs with further topics. A deposit has exactly one
//!   layout, and only the first topic counts (EIP-6110).
//! * It looks at the block's gas before it looks at the transaction, so that it names another fault of a transaction with both.
//! * It moves the DAO's funds after the block's transactions. They move before (the DAO fork's specification).
//! * It lets balances stop at 2^256 - 1 where rewards and withdrawals overflow. What overflows is dropped here, as revm does with fees; no
//!   chain has that much, and tests that have say so ([`Scenario::unlike_alloy`](super::Scenario::unlike_alloy)).

use super::bundles;
use super::draft::{CHAIN, Draft};
use super::harness::{Expected, Report, unequal};
use alloy_consensus::transaction::Recovered;
use alloy_consensus::{TxEnvelope, TxType};
use alloy_eips::eip6110::{DEPOSIT_REQUEST_TYPE, MAINNET_DEPOSIT_CONTRACT_ADDRESS};
use alloy_eips::eip7685::Requests;
use alloy_eips::{eip7002, eip7251};
use alloy_evm::block::{BlockExecutionError, BlockExecutor, BlockValidationError};
use alloy_evm::eth::dao_fork::{DAO_HARDFORK_ACCOUNTS, DAO_HARDFORK_BENEFICIARY};
use alloy_evm::eth::receipt_builder::{ReceiptBuilder, ReceiptBuilderCtx};
use alloy_evm::eth::spec::EthExecutorSpec;
use alloy_evm::eth::{EthBlockExecutionCtx, EthBlockExecutor, EthEvmContext};
use alloy_evm::{Database, Evm, EvmEnv};
use alloy_hardforks::{EthereumChainHardforks, EthereumHardfork, EthereumHardforks, ForkCondition};
use alloy_primitives::{Address, B256, Bytes, KECCAK256_EMPTY, Log, U256, b256};
use revm::bytecode::Bytecode;
use revm::context::result::{EVMError, HaltReason, InvalidTransaction, ResultAndState};
use revm::context::{BlockEnv, CfgEnv, ContextSetters, ContextTr, JournalTr, TxEnv};
use revm::database::states::bundle_state::BundleRetention;
use revm::database::{BundleState, DatabaseCommitExt, State, WrapDatabaseRef};
use revm::database_interface::{Database as _, DatabaseRef};
use revm::handler::{EthFrame, EthPrecompiles, Handler, MainnetEvm, MainnetHandler, SystemCallTx};
use revm::primitives::hardfork::SpecId;
use revm::state::AccountInfo;
use revm::{Context, ExecuteEvm, MainBuilder, MainContext};
use tandem_evm::{BlockId, ExecutionError, InvalidBlock, Receipt, StoreRef, StoreRefError};
use tandem_state::{MemoryStore, MissingCode, Store};

/// What alloy-evm makes of a block.
pub(crate) struct Reference {
    receipts: Vec<Receipt>,
    gas_used: u64,
    requests: Option<Requests>,
    bundle: BundleState,
}

/// What is said of an invalid block; nothing here can fail in another way.
type Refusal = ExecutionError<()>;

/// revm's `State` over a store.
pub(super) type StateOver<'s> = State<WrapDatabaseRef<Base<'s>>>;

/// The state under the rules that know delegations (EIP-7702), or do not.
pub(super) fn state_over(store: &MemoryStore, delegates: bool) -> StateOver<'_> {
    State::builder().with_database(WrapDatabaseRef(Base { store, delegates })).with_bundle_update().build()
}

/// A store, where code is what the rules make of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Base<'s> {
    store: &'s MemoryStore,
    delegates: bool,
}

impl DatabaseRef for Base<'_> {
    type Error = StoreRefError<MissingCode>;

    fn basic_ref(&self, address: Address) -> Result<Option<AccountInfo>, Self::Error> {
        StoreRef(self.store).basic_ref(address)
    }

    fn code_by_hash_ref(&self, hash: B256) -> Result<Bytecode, Self::Error> {
        let code = self.store.code(hash).map_err(StoreRefError)?;
        let delegation = self.delegates && code.len() == 23 && code.starts_with(&[0xef, 0x01, 0x00]);
        Ok(if delegation { Bytecode::new_raw(code) } else { Bytecode::new_legacy(code) })
    }

    fn storage_ref(&self, address: Address, slot: U256) -> Result<U256, Self::Error> {
        StoreRef(self.store).storage_ref(address, slot)
    }

    fn block_hash_ref(&self, number: u64) -> Result<B256, Self::Error> {
        StoreRef(self.store).block_hash_ref(number)
    }
}

/// The first thing in which alloy-evm's execution of the blocks differs from that in `report`.
pub(crate) fn disagreement(drafts: &[Draft], store: &MemoryStore, report: &Report) -> Option<String> {
    let mut states = vec![store.clone()];
    for (index, draft) in drafts.iter().enumerate() {
        let before = states.last()?;
        let (reference, expected) = match (Reference::execute(before, draft), report.blocks.get(index)) {
            (Ok(reference), Some(expected)) => (reference, expected),
            (Err(refusal), None) => {
                let (found, expected) = (format!("{refusal:?}"), report.error.as_ref()?);
                return (judgement(&found) != judgement(expected))
                    .then(|| format!("{found}, not {expected}"));
            }
            (Ok(_), None) => return Some(format!("block {index} is valid, not {:?}", report.error)),
            (Err(refusal), Some(_)) => return Some(format!("block {index}: {refusal:?}, not valid")),
        };
        let difference = reference
            .difference(expected)
            .or_else(|| bundles::difference(before, &reference.bundle, &expected.changes));
        if let Some(difference) = difference {
            return Some(format!("block {index}: {difference}"));
        }
        let mut after = before.clone();
        expected.changes.apply(&mut after);
        after.set_block_hash(draft.header.number, super::fork::block_hash(draft.header.number));
        states.push(after);
    }
    bundles::undo_difference(&states, &report.blocks)
}

/// An error's text without what only explains it.
fn judgement(text: &str) -> &str {
    text.split_inclusive("Deposit").next().unwrap_or(text)
}

impl Reference {
    fn execute(store: &MemoryStore, draft: &Draft) -> Result<Self, Refusal> {
        let header = &draft.header;
        let id = BlockId { chain_id: 1, number: header.number };
        let blob_params = CHAIN.blob_params(header.timestamp);
        let env = EvmEnv::for_eth_block(header, EthereumChainHardforks::mainnet(), 1, blob_params);
        // Delegations came with requests.
        let has_requests = env.cfg_env.spec.is_enabled_in(SpecId::PRAGUE);
        let mut state = state_over(store, has_requests);
        if CHAIN.dao_fork().is_some_and(|(number, _)| number == header.number) {
            let funds = state.drain_balances(DAO_HARDFORK_ACCOUNTS).map_err(internal)?;
            let funds = [(DAO_HARDFORK_BENEFICIARY, funds.into_iter().sum())];
            state.increment_balances(funds).map_err(internal)?;
        }
        let inner = Context::mainnet().with_block(env.block_env).with_cfg(env.cfg_env).with_db(&mut state);
        let context = EthBlockExecutionCtx {
            parent_hash: header.parent_hash,
            parent_beacon_block_root: header.parent_beacon_block_root,
            ommers: &draft.ommers,
            withdrawals: Some(draft.withdrawals.as_slice().into()),
            extra_data: header.extra_data.clone(),
            tx_count_hint: None,
            slot_number: None,
        };
        let evm = SpecifiedEvm(inner.build_mainnet());
        let mut executor = EthBlockExecutor::new(evm, context, Forks, Receipts);
        let invalid = |error| ExecutionError::Block { block: id, error };
        executor.apply_pre_execution_changes().map_err(internal)?;
        let mut deposits = Vec::new();
        for (index, transaction) in draft.transactions.iter().enumerate() {
            executor
                .execute_transaction(transaction)
                .map_err(|error| refusal(id, index, transaction, executor.evm_mut(), error))?;
            let logs = executor.receipts().last().map(|receipt| receipt.logs.as_slice());
            for log in logs.unwrap_or_default().iter().filter(|log| has_requests && is_deposit(log)) {
                let deposit = deposit(&log.data.data).ok_or_else(|| "no deposit".to_owned());
                deposits.extend(deposit.map_err(|why| invalid(InvalidBlock::Deposit(why)))?);
            }
        }
        if has_requests {
            for contract in SYSTEM_CONTRACTS {
                let account = executor.evm_mut().db_mut().basic(contract).map_err(internal)?;
                if account.is_none_or(|account| account.code_hash == KECCAK256_EMPTY) {
                    return Err(invalid(InvalidBlock::NoSystemContract(contract)));
                }
            }
        }
        let result = match executor.finish() {
            Ok((_, result)) => result,
            Err(BlockExecutionError::Validation(BlockValidationError::WithdrawalRequestsContractCall {
                ..
            })) => return Err(invalid(InvalidBlock::SystemCall(SYSTEM_CONTRACTS[0]))),
            Err(BlockExecutionError::Validation(
                BlockValidationError::ConsolidationRequestsContractCall { .. },
            )) => return Err(invalid(InvalidBlock::SystemCall(SYSTEM_CONTRACTS[1]))),
            Err(error) => return Err(internal(error)),
        };
        let mut requests = Requests::default();
        if !deposits.is_empty() {
            requests.push_request_with_type(DEPOSIT_REQUEST_TYPE, deposits);
        }
        requests.extend(result.requests);
        state.merge_transitions(BundleRetention::Reverts);
        Ok(Self {
            receipts: result.receipts,
            gas_used: result.gas_used,
            requests: has_requests.then_some(requests),
            bundle: state.take_bundle(),
        })
    }

    /// What is not as expected, the state left aside.
    fn difference(&self, expected: &Expected) -> Option<String> {
        let mut receipts = self.receipts.iter().zip(&expected.receipts).enumerate();
        if let Some((index, (found, expected))) = receipts.find(|(_, (found, expected))| found != expected) {
            return unequal(&format!("receipt {index}"), found, expected);
        }
        if self.receipts.len() != expected.receipts.len() {
            return unequal("receipts", &self.receipts.len(), &expected.receipts.len());
        }
        if self.gas_used != expected.gas_used {
            return unequal("gas", &self.gas_used, &expected.gas_used);
        }
        if self.requests != expected.requests {
            return unequal("requests", &self.requests, &expected.requests);
        }
        None
    }
}

const SYSTEM_CONTRACTS: [Address; 2] =
    [eip7002::WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS, eip7251::CONSOLIDATION_REQUEST_PREDEPLOY_ADDRESS];

fn internal(error: impl std::fmt::Display) -> Refusal {
    ExecutionError::Internal(error.to_string())
}

/// Why a transaction was refused: for what is wrong with it, if anything is, else for the block's gas.
fn refusal<DB: Database>(
    block: BlockId,
    index: usize,
    transaction: &Recovered<TxEnvelope>,
    evm: &mut SpecifiedEvm<DB>,
    error: BlockExecutionError,
) -> Refusal {
    let of_transaction = |error: InvalidTransaction| ExecutionError::Transaction {
        block,
        index,
        hash: *transaction.tx_hash(),
        error,
    };
    match error {
        BlockExecutionError::Validation(BlockValidationError::InvalidTx { error, .. }) => {
            match error.as_invalid_tx_err() {
                Some(error) => of_transaction(error.clone()),
                None => internal(error),
            }
        }
        BlockExecutionError::Validation(
            BlockValidationError::TransactionGasLimitMoreThanAvailableBlockGas {
                transaction_gas_limit: wanted,
                block_available_gas: available,
            },
        ) => match evm.transact(transaction) {
            Err(EVMError::Transaction(error)) => of_transaction(error),
            _ => {
                let error = InvalidBlock::GasLimit { index, wanted, available };
                ExecutionError::Block { block, error }
            }
        },
        other => internal(other),
    }
}

/// The first topic of a deposit's log.
const DEPOSIT_EVENT: B256 = b256!("649bbc62d0e31342afea4e5cd82d4049e7e1ee912fc0889aa790803be39038c5");

fn is_deposit(log: &Log) -> bool {
    log.address == MAINNET_DEPOSIT_CONTRACT_ADDRESS && log.data.topics().first() == Some(&DEPOSIT_EVENT)
}

/// The deposit in a log's data, whose layout is EIP-6110's: five offsets, and at each a length and so many bytes.
fn deposit(data: &[u8]) -> Option<Vec<u8>> {
    const FIELDS: [(usize, usize); 5] = [(160, 48), (256, 32), (320, 8), (384, 96), (512, 8)];
    let number = |at: usize| {
        let (high, low) = data.get(at..at + 32)?.split_at(24);
        high.iter()
            .all(|byte| *byte == 0)
            .then(|| low.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte)))
    };
    if data.len() != 576 {
        return None;
    }
    let mut deposit = Vec::new();
    for (index, (offset, length)) in FIELDS.into_iter().enumerate() {
        if number(32 * index)? != offset || number(offset)? != length {
            return None;
        }
        deposit.extend(data.get(offset + 32..offset + 32 + length)?);
    }
    Some(deposit)
}

/// Mainnet's forks, with nothing to do at the DAO's, and nowhere to look for deposits.
#[derive(Clone, Debug)]
struct Forks;

impl EthereumHardforks for Forks {
    fn ethereum_fork_activation(&self, fork: EthereumHardfork) -> ForkCondition {
        match fork {
            EthereumHardfork::Dao => ForkCondition::Never,
            fork => EthereumChainHardforks::mainnet().ethereum_fork_activation(fork),
        }
    }
}

impl EthExecutorSpec for Forks {
    fn deposit_contract_address(&self) -> Option<Address> {
        Some(Address::ZERO)
    }
}

/// Makes receipts as Tandem has them.
#[derive(Debug)]
struct Receipts;

impl ReceiptBuilder for Receipts {
    type Transaction = TxEnvelope;
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

/// revm, with the gas that system calls have before Amsterdam.
struct SpecifiedEvm<DB: Database>(MainnetEvm<EthEvmContext<DB>>);

impl<DB: Database> Evm for SpecifiedEvm<DB> {
    type DB = DB;
    type Tx = TxEnv;
    type Error = EVMError<DB::Error>;
    type HaltReason = HaltReason;
    type Spec = SpecId;
    type BlockEnv = BlockEnv;
    type Precompiles = EthPrecompiles;
    type Inspector = ();

    fn block(&self) -> &BlockEnv {
        &self.0.ctx.block
    }

    fn cfg_env(&self) -> &CfgEnv {
        &self.0.ctx.cfg
    }

    fn chain_id(&self) -> u64 {
        self.0.ctx.cfg.chain_id
    }

    fn transact_raw(&mut self, tx: TxEnv) -> Result<ResultAndState, Self::Error> {
        self.0.transact(tx)
    }

    fn transact_system_call(
        &mut self,
        caller: Address,
        contract: Address,
        data: Bytes,
    ) -> Result<ResultAndState, Self::Error> {
        let call = TxEnv::new_system_tx_with_caller(caller, contract, data);
        self.0.ctx.set_tx(TxEnv { gas_limit: 30_000_000, ..call });
        let mut handler = MainnetHandler::<_, Self::Error, EthFrame>::default();
        let result = handler.run_system_call(&mut self.0)?;
        Ok(ResultAndState { result, state: self.0.ctx.journal_mut().finalize() })
    }

    fn finish(self) -> (DB, EvmEnv) {
        let Context { block: block_env, cfg: cfg_env, journaled_state, .. } = self.0.ctx;
        (journaled_state.database, EvmEnv { block_env, cfg_env })
    }

    fn set_inspector_enabled(&mut self, _: bool) {}

    fn components(&self) -> (&DB, &(), &EthPrecompiles) {
        (&self.0.ctx.journaled_state.database, &self.0.inspector, &self.0.precompiles)
    }

    fn components_mut(&mut self) -> (&mut DB, &mut (), &mut EthPrecompiles) {
        (&mut self.0.ctx.journaled_state.database, &mut self.0.inspector, &mut self.0.precompiles)
    }
}
