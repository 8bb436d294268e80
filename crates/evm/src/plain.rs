//! The baseline: blocks executed by revm as it comes, one transaction after the other.

use crate::base::{BaseState, Fault, StoreError};
use crate::block::Block;
use crate::code;
use crate::deposits;
use crate::error::{ExecutionError, InvalidBlock};
use crate::finished::Receipt;
use crate::machine::MachineError;
use crate::net_gas;
use crate::occupied::{Occupied, collide_where};
use crate::system::{SystemError, all_requests, system_transaction};
use crate::vm::{system_error, transaction_error};
use alloy_consensus::TxType;
use alloy_eips::eip7685::Requests;
use alloy_eips::{eip2935, eip4788, eip7002, eip7251};
use alloy_evm::block::calc;
use alloy_evm::eth::dao_fork::{DAO_HARDFORK_ACCOUNTS, DAO_HARDFORK_BENEFICIARY};
use alloy_primitives::map::{AddressSet, B256Map};
use alloy_primitives::{Address, B256, Bytes, KECCAK256_EMPTY, U256};
use revm::bytecode::Bytecode;
use revm::bytecode::opcode::SSTORE;
use revm::context::result::{ExecutionResult, HaltReason, ResultGas};
use revm::context::{BlockEnv, CfgEnv, Context, ContextTr, Journal, JournalEntry, JournalTr, TxEnv};
use revm::context_interface::journaled_state::account::JournaledAccountTr;
use revm::database_interface::{Database, DatabaseRef};
use revm::handler::{
    EthFrame, EvmTr, FrameResult, Handler, ItemOrResult, MainBuilder, MainnetEvm, MainnetHandler,
};
use revm::interpreter::Instruction;
use revm::interpreter::interpreter_action::FrameInit;
use revm::primitives::hardfork::SpecId;
use revm::primitives::{StorageKey, StorageValue};
use revm::state::{AccountInfo, AccountStatus, EvmState};
use std::marker::PhantomData;
use std::sync::Arc;
use tandem_state::{AccountChange, StateChanges};

/// revm's context, with room for the accounts that the transaction at its end has touched or destroyed.
type Ctx<'s> = Context<BlockEnv, Arc<TxEnv>, CfgEnv, PlainDb<'s>, Journal<PlainDb<'s>>, Vec<Address>>;
type Plain<'s> = MainnetEvm<Ctx<'s>>;
type Mainnet<'s> = MainnetHandler<Plain<'s>, MachineError, EthFrame>;

/// Mainnet's rules, which know of the addresses where storage is in the way of a creation (EIP-7610), and tell the journal which
/// accounts are gone when a transaction or system call ends: it goes on, and does not see to that.
struct Rules<'b, 's> {
    block: &'b Block,
    /// Accounts that ceased to exist at the end of some transaction.
    gone: AddressSet,
    store: PhantomData<&'s ()>,
}

impl<'s> Handler for Rules<'_, 's> {
    type Evm = Plain<'s>;
    type Error = MachineError;
    type HaltReason = HaltReason;

    fn run_exec_loop(&mut self, evm: &mut Self::Evm, first: FrameInit) -> Result<FrameResult, Self::Error> {
        if self.block.chain.occupied().is_empty() {
            return Mainnet::default().run_exec_loop(evm, first);
        }
        if let Some(result) = self.begin(evm, first)? {
            return Ok(result);
        }
        loop {
            let ended = match evm.frame_run()? {
                ItemOrResult::Item(next) => self.begin(evm, next)?,
                ItemOrResult::Result(result) => Some(result),
            };
            if let Some(result) = ended
                && let Some(result) = evm.frame_return_result(result)?
            {
                return Ok(result);
            }
        }
    }

    fn execution_result(
        &mut self,
        evm: &mut Self::Evm,
        result: FrameResult,
        gas: ResultGas,
    ) -> Result<ExecutionResult<HaltReason>, Self::Error> {
        let Ctx { chain: ended, journaled_state, .. } = &mut evm.ctx;
        ended.extend(journaled_state.inner.journal.iter().filter_map(|entry| match entry {
            JournalEntry::AccountTouched { address } | JournalEntry::AccountDestroyed { address, .. } => {
                Some(*address)
            }
            _ => None,
        }));
        let result = Mainnet::default().execution_result(evm, result, gas);
        self.forget_the_gone(evm);
        result
    }
}

impl<'s> Rules<'_, 's> {
    /// Begins a frame. Gives the result of one that ends at once.
    fn begin(&self, evm: &mut Plain<'s>, frame: FrameInit) -> Result<Option<FrameResult>, MachineError> {
        let occupied = self.block.chain.occupied();
        if let Some(result) =
            collide_where(&mut evm.ctx, occupied, &frame, |ctx, address| has_storage(ctx, occupied, address))?
        {
            return Ok(Some(result));
        }
        Ok(match evm.frame_init(frame)? {
            ItemOrResult::Item(_) => None,
            ItemOrResult::Result(result) => Some(result),
        })
    }

    /// A transaction's end removes the accounts that it destroyed and, from EIP-161 on, those that it touched and left empty: later
    /// transactions find nothing there.
    fn forget_the_gone(&mut self, evm: &mut Plain<'s>) {
        let clear_empty = self.block.clears_empty_accounts();
        let state = &mut evm.ctx.journaled_state.inner.state;
        for address in evm.ctx.chain.drain(..) {
            let Some(account) = state.get_mut(&address).filter(|account| account.is_touched()) else {
                continue;
            };
            if account.is_selfdestructed_locally() || (clear_empty && account.info.is_empty()) {
                account.unmark_touch();
                account.status |= AccountStatus::LoadedAsNotExisting;
                self.gone.insert(address);
            }
        }
    }

    fn call(
        &mut self,
        evm: &mut Plain<'s>,
        contract: Address,
        input: Bytes,
    ) -> Result<ExecutionResult, MachineError> {
        evm.ctx.tx = system_transaction(contract, input);
        self.run_system_call(evm)
    }
}

/// Whether an account that had nothing but storage in the base state is still as it was. Warms the address.
fn has_storage(ctx: &mut Ctx<'_>, occupied: &Occupied, address: Address) -> Result<bool, StoreError> {
    let account = ctx.journaled_state.load_account(address)?.data;
    let is_there = !account.status.contains(AccountStatus::LoadedAsNotExisting);
    if !is_there || account.info.nonce != 0 || !account.info.is_empty_code_hash() {
        return Ok(false);
    }
    let Some(slot) = occupied.slot(&address) else { return Ok(true) };
    Ok(!ctx.journaled_state.database.storage(address, slot)?.is_zero())
}

/// A plain revm loop, the yardstick for everything else: revm's journal carries the state from one transaction to the
/// next, which is the cheapest way there is, and each code is analysed once.
#[derive(Debug, Default)]
pub struct PlainExecutor {
    codes: B256Map<Bytecode>,
}

/// A block executed by the plain loop.
#[derive(Clone, Debug)]
pub struct PlainBlock {
    /// One receipt a transaction.
    pub receipts: Vec<Receipt>,
    /// Gas used by all transactions.
    pub gas_used: u64,
    /// The block's requests (EIP-7685); `None` before Prague.
    pub requests: Option<Requests>,
    state: EvmState,
    clear_empty: bool,
    /// Accounts that ceased to exist at the end of some transaction.
    gone: AddressSet,
}

/// The store with the codes that were used before.
struct PlainDb<'s> {
    store: &'s dyn BaseState,
    codes: B256Map<Bytecode>,
    /// Whether codes can be delegations (EIP-7702).
    delegates: bool,
    parent: (u64, B256),
}

impl Database for PlainDb<'_> {
    type Error = StoreError;

    fn basic(&mut self, address: Address) -> Result<Option<AccountInfo>, Self::Error> {
        let mut info = self.store.account(address)?;
        if let Some(code) = info.as_mut().and_then(|info| info.code.as_mut()) {
            *code = code::under_rules(code, self.delegates);
        }
        Ok(info)
    }

    fn code_by_hash(&mut self, code_hash: B256) -> Result<Bytecode, Self::Error> {
        if let Some(code) = self.codes.get(&code_hash) {
            return Ok(code::under_rules(code, self.delegates));
        }
        let code = self.store.code(code_hash)?;
        let executed = code::under_rules(&code, self.delegates);
        self.codes.insert(code_hash, code);
        Ok(executed)
    }

    fn storage(&mut self, address: Address, index: StorageKey) -> Result<StorageValue, Self::Error> {
        self.store.slot(address, index)
    }

    fn block_hash(&mut self, number: u64) -> Result<B256, Self::Error> {
        if number == self.parent.0 {
            return Ok(self.parent.1);
        }
        self.store.block_hash(number)
    }
}

impl PlainExecutor {
    /// An executor that knows no code yet.
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
    ) -> Result<PlainBlock, ExecutionError<S::Error>> {
        self.execute_on(store, block).map_err(ExecutionError::of_store)
    }

    fn execute_on(
        &mut self,
        store: &dyn BaseState,
        block: &Block,
    ) -> Result<PlainBlock, ExecutionError<Fault>> {
        let db = PlainDb {
            store,
            codes: std::mem::take(&mut self.codes),
            delegates: block.is_enabled(SpecId::PRAGUE),
            parent: (block.id.number.wrapping_sub(1), block.header.parent_hash),
        };
        let mut evm = Context {
            block: block.env.clone(),
            tx: Arc::new(TxEnv::default()),
            cfg: block.cfg.clone(),
            journaled_state: Journal::new(db),
            chain: Vec::new(),
            local: Default::default(),
            error: Ok(()),
        }
        .build_mainnet();
        evm.ctx.journaled_state.set_spec_id(block.spec);
        if block.has_net_gas() {
            let table = evm.instruction.instruction_table_mut();
            table[SSTORE as usize] = Instruction::new(net_gas::sstore);
        }
        let result = execute(&mut evm, block);
        self.codes = std::mem::take(&mut evm.ctx.journaled_state.database.codes);
        result
    }
}

fn execute(evm: &mut Plain<'_>, block: &Block) -> Result<PlainBlock, ExecutionError<Fault>> {
    block.check()?;
    let mut rules = Rules { block, gone: AddressSet::default(), store: PhantomData };
    start(evm, &mut rules).map_err(|error| system_error(block, error))?;
    let invalid = |error| ExecutionError::Block { block: block.id, error };
    let mut receipts = Vec::with_capacity(block.transactions.len());
    let mut deposits = Vec::new();
    let mut gas_used = 0;
    for (index, transaction) in block.transactions.iter().enumerate() {
        let available = block.header.gas_limit.saturating_sub(gas_used);
        let wanted = transaction.env.gas_limit;
        evm.ctx.tx = transaction.env.clone();
        let result = rules.run(evm).map_err(|error| transaction_error(block, index, error))?;
        if wanted > available {
            return Err(invalid(InvalidBlock::GasLimit { index, wanted, available }));
        }
        gas_used += result.tx_gas_used();
        let success = result.is_success();
        let logs = result.into_logs();
        if block.has_requests() {
            deposits::add(block.chain.deposit_contract(), &logs, &mut deposits).map_err(invalid)?;
        }
        receipts.push(Receipt {
            tx_type: TxType::try_from(transaction.tx_type).unwrap_or_default(),
            success,
            cumulative_gas_used: gas_used,
            logs,
        });
    }
    let queued = end(evm, &mut rules).map_err(|error| system_error(block, error))?;
    let requests = all_requests(block, deposits, queued);
    Ok(PlainBlock {
        receipts,
        gas_used,
        requests,
        state: std::mem::take(&mut evm.ctx.journaled_state.inner.state),
        clear_empty: block.clears_empty_accounts(),
        gone: rules.gone,
    })
}

fn start<'s>(evm: &mut Plain<'s>, rules: &mut Rules<'_, 's>) -> Result<(), SystemError> {
    let block = rules.block;
    if !block.has_system_steps {
        return Ok(());
    }
    if block.chain.is_dao_fork(block.id.number) {
        let journal = &mut evm.ctx.journaled_state;
        let mut sum = U256::ZERO;
        for address in DAO_HARDFORK_ACCOUNTS {
            let mut account = journal.load_account_mut(address)?;
            sum += *account.data.balance();
            account.data.set_balance(U256::ZERO);
        }
        journal.balance_incr(DAO_HARDFORK_BENEFICIARY, sum)?;
    }
    if block.id.number > 0 && block.is_enabled(SpecId::CANCUN) {
        let root = block.header.parent_beacon_block_root.unwrap_or_default();
        rules.call(evm, eip4788::BEACON_ROOTS_ADDRESS, root.0.into())?;
    }
    if block.id.number > 0 && block.is_enabled(SpecId::PRAGUE) {
        rules.call(evm, eip2935::HISTORY_STORAGE_ADDRESS, block.header.parent_hash.0.into())?;
    }
    Ok(())
}

fn end<'s>(evm: &mut Plain<'s>, rules: &mut Rules<'_, 's>) -> Result<Requests, SystemError> {
    let block = rules.block;
    let mut requests = Requests::default();
    if !block.has_system_steps {
        evm.ctx.journaled_state.balance_incr(block.header.beneficiary, U256::ZERO)?;
        return Ok(requests);
    }
    if block.has_requests() {
        for (contract, request_type) in [
            (eip7002::WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS, eip7002::WITHDRAWAL_REQUEST_TYPE),
            (eip7251::CONSOLIDATION_REQUEST_PREDEPLOY_ADDRESS, eip7251::CONSOLIDATION_REQUEST_TYPE),
        ] {
            if evm.ctx.journal_mut().load_account(contract)?.data.info.code_hash == KECCAK256_EMPTY {
                return Err(SystemError::Block(InvalidBlock::NoSystemContract(contract)));
            }
            let ExecutionResult::Success { output, .. } = rules.call(evm, contract, Bytes::new())? else {
                return Err(SystemError::Block(InvalidBlock::SystemCall(contract)));
            };
            let data = output.into_data();
            if !data.is_empty() {
                requests.push_request_with_type(request_type, data);
            }
        }
    }
    let journal = &mut evm.ctx.journaled_state;
    for withdrawal in block.withdrawals.iter() {
        journal.balance_incr(withdrawal.address, U256::from(withdrawal.amount_wei()))?;
    }
    if let Some(base) = calc::base_block_reward(block.chain.hardforks(), block.id.number) {
        for ommer in &block.ommers {
            let reward = calc::ommer_reward(base, block.id.number, ommer.number);
            journal.balance_incr(ommer.beneficiary, U256::from(reward))?;
        }
        let reward = calc::block_reward(base, block.ommers.len());
        journal.balance_incr(block.header.beneficiary, U256::from(reward))?;
    }
    Ok(requests)
}

impl PlainBlock {
    /// The state changes of the whole block, told by comparing with the state before.
    ///
    /// # Errors
    ///
    /// If the store fails.
    pub fn state_changes<S: DatabaseRef>(&self, store: &S) -> Result<StateChanges, S::Error> {
        let mut changes = StateChanges::default();
        for (address, account) in &self.state {
            if !account.is_touched() && !account.is_selfdestructed() && !self.gone.contains(address) {
                continue;
            }
            let before = store.basic_ref(*address)?.map(|info| fields(&info));
            let gone = account.is_selfdestructed_locally()
                || (account.is_selfdestructed() && !account.is_touched())
                || (self.clear_empty && account.info.is_empty());
            let after = (!gone).then(|| fields(&account.info));
            let storage_wiped = account.is_selfdestructed() || account.is_created();
            let mut change = AccountChange { storage_wiped, ..AccountChange::default() };
            if before != after {
                change.fields = Some((before, after));
            }
            for (slot, value) in account.storage.iter().filter(|_| !gone) {
                let old = if storage_wiped { U256::ZERO } else { store.storage_ref(*address, *slot)? };
                if old != value.present_value {
                    change.storage.insert(*slot, (old, value.present_value));
                }
            }
            if let (Some((before, Some(after))), Some(code)) = (change.fields, &account.info.code)
                && after.code_hash != KECCAK256_EMPTY
                && before.is_none_or(|before| before.code_hash != after.code_hash)
            {
                changes.codes.insert(after.code_hash, code.original_bytes());
            }
            if change != AccountChange::default() {
                changes.accounts.insert(*address, change);
            }
        }
        Ok(changes)
    }
}

fn fields(info: &AccountInfo) -> tandem_state::Account {
    tandem_state::Account { balance: info.balance, nonce: info.nonce, code_hash: info.code_hash }
}
