//! What happens to the state before a block's first and after its last transaction.

use crate::base::StoreError;
use crate::block::Block;
use crate::error::InvalidBlock;
use crate::handler::{OrderedHandler, credit};
use crate::machine::{Machine, MachineError, show_balance};
use alloy_eips::eip6110::DEPOSIT_REQUEST_TYPE;
use alloy_eips::eip7685::Requests;
use alloy_eips::{eip2935, eip4788, eip7002, eip7251};
use alloy_evm::block::calc;
use alloy_evm::eth::dao_fork::{DAO_HARDFORK_ACCOUNTS, DAO_HARDFORK_BENEFICIARY};
use alloy_primitives::{Address, B256, Bytes, U256};
use revm::context::result::ExecutionResult;
use revm::context::{JournalTr, TxEnv};
use revm::context_interface::journaled_state::account::JournaledAccountTr;
use revm::handler::{EvmTr, Handler, SystemCallTx};
use revm::primitives::hardfork::SpecId;
use std::sync::Arc;

/// Why the state changes around a block failed.
#[derive(Debug)]
pub(crate) enum SystemError {
    Block(InvalidBlock),
    Machine(MachineError),
}

impl From<MachineError> for SystemError {
    fn from(error: MachineError) -> Self {
        Self::Machine(error)
    }
}

impl From<StoreError> for SystemError {
    fn from(error: StoreError) -> Self {
        Self::Machine(MachineError::Database(error))
    }
}

/// Whether a block begins with anything at all.
pub(crate) fn has_start(block: &Block) -> bool {
    block.has_system_steps && (block.is_enabled(SpecId::CANCUN) || block.chain.is_dao_fork(block.id.number))
}

/// Before the first transaction: the DAO's irregular change, the beacon root (EIP-4788), the parent's hash
/// (EIP-2935).
pub(crate) fn start(machine: &mut Machine<'_, '_>, block: &Block) -> Result<(), SystemError> {
    if block.chain.is_dao_fork(block.id.number) {
        move_dao_funds(machine)?;
    }
    if block.id.number == 0 {
        return Ok(());
    }
    if block.is_enabled(SpecId::CANCUN) {
        let root = block.header.parent_beacon_block_root.unwrap_or_default();
        call(machine, eip4788::BEACON_ROOTS_ADDRESS, root)?;
    }
    if block.is_enabled(SpecId::PRAGUE) {
        call(machine, eip2935::HISTORY_STORAGE_ADDRESS, block.header.parent_hash)?;
    }
    Ok(())
}

/// After the last transaction: requests (EIP-7002, EIP-7251), withdrawals (EIP-4895), rewards. Returns the requests that
/// the system contracts give.
pub(crate) fn end(machine: &mut Machine<'_, '_>, block: &Block) -> Result<Requests, SystemError> {
    let mut requests = Requests::default();
    if !block.has_system_steps {
        credit(machine.ctx(), block.header.beneficiary, U256::ZERO);
        return Ok(requests);
    }
    if block.has_requests() {
        let contracts = [
            (eip7002::WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS, eip7002::WITHDRAWAL_REQUEST_TYPE),
            (eip7251::CONSOLIDATION_REQUEST_PREDEPLOY_ADDRESS, eip7251::CONSOLIDATION_REQUEST_TYPE),
        ];
        for (contract, request_type) in contracts {
            let data = dequeue_requests(machine, contract)?;
            if !data.is_empty() {
                requests.push_request_with_type(request_type, data);
            }
        }
    }
    for withdrawal in block.withdrawals.iter() {
        credit(machine.ctx(), withdrawal.address, U256::from(withdrawal.amount_wei()));
    }
    if let Some(base) = calc::base_block_reward(block.chain.hardforks(), block.id.number) {
        let number = block.id.number;
        for ommer in &block.ommers {
            let reward = calc::ommer_reward(base, number, ommer.number);
            credit(machine.ctx(), ommer.beneficiary, U256::from(reward));
        }
        let reward = calc::block_reward(base, block.ommers.len());
        credit(machine.ctx(), block.header.beneficiary, U256::from(reward));
    }
    Ok(requests)
}

/// All of a block's requests in their order (EIP-7685): deposits, then what the system contracts gave. `None` before
/// Prague and where no system steps run.
pub(crate) fn all_requests(block: &Block, deposits: Vec<u8>, queued: Requests) -> Option<Requests> {
    block.has_requests().then(|| {
        let mut requests = Requests::default();
        if !deposits.is_empty() {
            requests.push_request_with_type(DEPOSIT_REQUEST_TYPE, deposits);
        }
        requests.extend(queued);
        requests
    })
}

/// Gas of a system call, which nobody pays for (EIPs 4788, 2935, 7002, 7251). revm's constant is Amsterdam's, which is more.
const SYSTEM_CALL_GAS: u64 = 30_000_000;

/// What revm executes as a system call.
pub(crate) fn system_transaction(contract: Address, input: Bytes) -> Arc<TxEnv> {
    Arc::new(TxEnv { gas_limit: SYSTEM_CALL_GAS, ..TxEnv::new_system_tx(contract, input) })
}

/// A system call whose outcome does not matter: a contract that is not there does nothing.
fn call(
    machine: &mut Machine<'_, '_>,
    contract: Address,
    argument: B256,
) -> Result<ExecutionResult, MachineError> {
    call_with(machine, contract, argument.0.into())
}

fn call_with(
    machine: &mut Machine<'_, '_>,
    contract: Address,
    input: Bytes,
) -> Result<ExecutionResult, MachineError> {
    machine.ctx().tx = system_transaction(contract, input);
    OrderedHandler::default().run_system_call(machine)
}

/// Empties a request queue. Such a contract must be there and must succeed.
fn dequeue_requests(machine: &mut Machine<'_, '_>, contract: Address) -> Result<Bytes, SystemError> {
    // As the block's transactions leave it: one of them may have deployed it.
    if machine.ctx().journaled_state.load_account(contract)?.data.info.is_empty_code_hash() {
        return Err(SystemError::Block(InvalidBlock::NoSystemContract(contract)));
    }
    match call_with(machine, contract, Bytes::new())? {
        ExecutionResult::Success { output, .. } => Ok(output.into_data()),
        _ => Err(SystemError::Block(InvalidBlock::SystemCall(contract))),
    }
}

/// The irregular state change of the DAO fork: the listed accounts' balances go to one contract.
fn move_dao_funds(machine: &mut Machine<'_, '_>) -> Result<(), StoreError> {
    let ctx = machine.ctx();
    let mut sum = U256::ZERO;
    for address in DAO_HARDFORK_ACCOUNTS {
        let mut account = ctx.journaled_state.load_account_mut(address)?;
        sum += *account.data.balance();
        account.data.set_balance(U256::ZERO);
        show_balance(&mut ctx.journaled_state.database, address);
    }
    ctx.journaled_state.load_account_mut(DAO_HARDFORK_BENEFICIARY)?.data.incr_balance(sum);
    Ok(())
}
