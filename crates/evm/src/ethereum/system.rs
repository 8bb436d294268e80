//! What happens to Ethereum's state before a block's first and after its last transaction.

use super::chain_spec::ChainSpec;
use crate::error::InvalidBlock;
use crate::protocol::errors::SystemError;
use crate::protocol::{Block, Host};
use alloy_eips::eip6110::DEPOSIT_REQUEST_TYPE;
use alloy_eips::eip7685::Requests;
use alloy_eips::{eip2935, eip4788, eip7002, eip7251};
use alloy_evm::block::calc;
use alloy_evm::eth::dao_fork::{DAO_HARDFORK_ACCOUNTS, DAO_HARDFORK_BENEFICIARY};
use alloy_primitives::{Address, Bytes, U256};
use revm::context::TxEnv;
use revm::context::result::ExecutionResult;
use revm::handler::SystemCallTx;
use revm::primitives::hardfork::SpecId;
use std::sync::Arc;

/// Gas of a system call, which nobody pays for (EIPs 4788, 2935, 7002, 7251). revm's constant is Amsterdam's, which is more.
const SYSTEM_CALL_GAS: u64 = 30_000_000;

type EthereumHost<'a> = &'a mut dyn Host<ChainSpec>;

/// Whether a block begins with anything at all.
pub(super) fn has_start(block: &Block<ChainSpec>) -> bool {
    block.has_system_steps()
        && (block.is_enabled(SpecId::CANCUN) || block.protocol().is_dao_fork(block.id().number))
}

/// Before the first transaction: the DAO's irregular change, the beacon root (EIP-4788), the parent's hash
/// (EIP-2935).
pub(super) fn start(block: &Block<ChainSpec>, host: EthereumHost<'_>) -> Result<(), SystemError> {
    if block.protocol().is_dao_fork(block.id().number) {
        move_dao_funds(host)?;
    }
    if block.id().number == 0 {
        return Ok(());
    }
    // The outcome does not matter: a contract that is not there does nothing.
    if block.is_enabled(SpecId::CANCUN) {
        let root = block.header().parent_beacon_block_root.unwrap_or_default();
        host.call(system_call(eip4788::BEACON_ROOTS_ADDRESS, root.0.into()))?;
    }
    if block.is_enabled(SpecId::PRAGUE) {
        host.call(system_call(eip2935::HISTORY_STORAGE_ADDRESS, block.header().parent_hash.0.into()))?;
    }
    Ok(())
}

/// After the last transaction: requests (EIP-7002, EIP-7251), withdrawals (EIP-4895), rewards. Returns the requests that
/// the system contracts give.
pub(super) fn end(block: &Block<ChainSpec>, host: EthereumHost<'_>) -> Result<Requests, SystemError> {
    let mut requests = Requests::default();
    if !block.has_system_steps() {
        host.credit(block.header().beneficiary, U256::ZERO)?;
        return Ok(requests);
    }
    if block.has_requests() {
        let contracts = [
            (eip7002::WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS, eip7002::WITHDRAWAL_REQUEST_TYPE),
            (eip7251::CONSOLIDATION_REQUEST_PREDEPLOY_ADDRESS, eip7251::CONSOLIDATION_REQUEST_TYPE),
        ];
        for (contract, request_type) in contracts {
            let data = dequeue_requests(host, contract)?;
            if !data.is_empty() {
                requests.push_request_with_type(request_type, data);
            }
        }
    }
    for withdrawal in block.body().withdrawals.iter() {
        host.credit(withdrawal.address, U256::from(withdrawal.amount_wei()))?;
    }
    let number = block.id().number;
    if let Some(base) = calc::base_block_reward(block.protocol().hardforks(), number) {
        let ommers = &block.body().ommers;
        for ommer in ommers {
            let reward = calc::ommer_reward(base, number, ommer.number);
            host.credit(ommer.beneficiary, U256::from(reward))?;
        }
        let reward = calc::block_reward(base, ommers.len());
        host.credit(block.header().beneficiary, U256::from(reward))?;
    }
    Ok(requests)
}

/// All of a block's requests in their order (EIP-7685): deposits, then what the system contracts gave.
pub(super) fn all_requests(deposits: Vec<u8>, queued: Requests) -> Requests {
    let mut requests = Requests::default();
    if !deposits.is_empty() {
        requests.push_request_with_type(DEPOSIT_REQUEST_TYPE, deposits);
    }
    requests.extend(queued);
    requests
}

/// What revm executes as a system call.
fn system_call(contract: Address, input: Bytes) -> Arc<TxEnv> {
    Arc::new(TxEnv { gas_limit: SYSTEM_CALL_GAS, ..TxEnv::new_system_tx(contract, input) })
}

/// Empties a request queue. Such a contract must be there and must succeed. One of the block's transactions may have deployed it.
fn dequeue_requests(host: EthereumHost<'_>, contract: Address) -> Result<Bytes, SystemError> {
    if !host.has_code(contract)? {
        return Err(InvalidBlock::NoSystemContract(contract).into());
    }
    match host.call(system_call(contract, Bytes::new()))? {
        ExecutionResult::Success { output, .. } => Ok(output.into_data()),
        _ => Err(InvalidBlock::SystemCall(contract).into()),
    }
}

/// The irregular state change of the DAO fork: the listed accounts' balances go to one contract.
fn move_dao_funds(host: EthereumHost<'_>) -> Result<(), SystemError> {
    let mut sum = U256::ZERO;
    for address in DAO_HARDFORK_ACCOUNTS {
        sum += host.drain(address)?;
    }
    host.credit(DAO_HARDFORK_BENEFICIARY, sum)
}
