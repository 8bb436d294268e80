use super::block::EthereumBody;
use super::chain_spec::ChainSpec;
use super::receipts::Receipt;
use super::{deposits, fees, sstore_1283, system};
use crate::error::{BlockId, ForkError, InvalidBlock, Refusal};
use crate::protocol::collisions::StorageCollisions;
use crate::protocol::errors::{EvmError, SystemError};
use crate::protocol::{
    Assembly, Block, Charge, ContextOf, EvmOf, Executed, Host, Protocol, ReplacedInstruction,
};
use alloy_consensus::TxType;
use alloy_eips::eip7685::Requests;
use alloy_evm::EvmEnv;
use alloy_primitives::{Address, B256, U256};
use revm::bytecode::opcode::SSTORE;
use revm::context::{Transaction, TransactionType, TxEnv};
use revm::handler::{EthFrame, EthPrecompiles, MainnetHandler};
use revm::interpreter::Instruction;
use revm::primitives::hardfork::SpecId;
use std::sync::Arc;

/// What Ethereum collects of a block besides receipts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EthereumSummary {
    /// Deposits so far, in the form of a request (EIP-6110).
    deposits: Vec<u8>,
    /// The block's requests (EIP-7685); `None` before Prague.
    pub requests: Option<Requests>,
}

impl Protocol for ChainSpec {
    type Body = EthereumBody;
    type Tx = Arc<TxEnv>;
    type Context = ();
    type Receipt = Receipt;
    type End = Requests;
    type Summary = EthereumSummary;
    type Precompiles<C: ContextOf<Self>> = EthPrecompiles;
    type Handler<E: EvmOf<Self>> = MainnetHandler<E, EvmError, EthFrame>;

    fn block_id(&self, body: &EthereumBody) -> BlockId {
        BlockId { chain_id: self.chain_id(), number: body.header.number }
    }

    fn environment(&self, body: &EthereumBody) -> Result<EvmEnv, Refusal> {
        let header = &body.header;
        let fork = self.fork(header.number, header.timestamp)?;
        let blob_params = self.blob_params(header.timestamp);
        let mut env = EvmEnv::for_eth_block(header, self.hardforks(), self.chain_id(), blob_params);
        if env.cfg_env.spec.is_enabled_in(SpecId::CANCUN) {
            if blob_params.is_none() {
                return Err(ForkError::NoBlobParams { fork }.into());
            }
            if header.excess_blob_gas.is_none() {
                return Err(InvalidBlock::MissingField { field: "excessBlobGas", fork }.into());
            }
        }
        if self.has_net_gas(header.number) {
            env.cfg_env.set_gas_params(sstore_1283::gas_params());
        }
        Ok(env)
    }

    fn parent_hash(&self, body: &EthereumBody) -> Option<B256> {
        Some(body.header.parent_hash)
    }

    fn rules(&self, block: &Block<Self>) -> u32 {
        2 * block.spec_id() as u32 + u32::from(block.has_net_gas())
    }

    fn has_start(&self, block: &Block<Self>) -> bool {
        system::has_start(block)
    }

    fn start(&self, block: &Block<Self>, host: &mut dyn Host<Self>) -> Result<(), SystemError> {
        system::start(block, host)
    }

    fn end(&self, block: &Block<Self>, host: &mut dyn Host<Self>) -> Result<Requests, SystemError> {
        system::end(block, host)
    }

    fn pay_fees(&self, charge: &Charge<'_, Self>, pay: &mut dyn FnMut(Address, U256)) {
        let (beneficiary, amount) = fees::reward(charge);
        pay(beneficiary, amount);
    }

    fn keeps_to_journal(&self) -> bool {
        true
    }

    fn is_plain_transfer(&self, block: &Block<Self>, tx: &Arc<TxEnv>) -> bool {
        let simple_type = [TransactionType::Legacy, TransactionType::Eip2930, TransactionType::Eip1559]
            .contains(&TransactionType::from(tx.tx_type));
        // Later forks log transfers (EIP-7708).
        let logged = block.is_enabled(SpecId::AMSTERDAM);
        // The oldest precompiles include the account of RIPEMD-160, which once got a rule of its own.
        let to_precompile = |to| EthPrecompiles::new(block.spec_id()).contains(to);
        tx.data.is_empty() && simple_type && !logged && tx.kind.to().is_some_and(|to| !to_precompile(to))
    }

    fn precompiles<C: ContextOf<Self>>(&self, block: &Block<Self>) -> EthPrecompiles {
        EthPrecompiles::new(block.spec_id())
    }

    fn is_stateless(&self, _precompile: &Address) -> bool {
        true
    }

    fn instructions<C: ContextOf<Self>>(&self, block: &Block<Self>) -> Vec<ReplacedInstruction<C>> {
        let sstore = ReplacedInstruction {
            opcode: SSTORE,
            instruction: Instruction::new(sstore_1283::sstore),
            gas: None,
            shows_accounts: false,
        };
        if block.has_net_gas() { vec![sstore] } else { Vec::new() }
    }

    fn storage_collisions(&self) -> Option<&Arc<StorageCollisions>> {
        Some(self.collisions())
    }

    fn tells_each_transaction(&self, block: &Block<Self>) -> bool {
        block.receipts_hold_roots()
    }

    fn add_transaction(
        &self,
        block: &Block<Self>,
        index: usize,
        executed: Executed,
        assembly: &mut Assembly<Self>,
    ) -> Result<(), InvalidBlock> {
        let Executed { success, logs, .. } = executed;
        if block.has_requests() {
            deposits::add(self.deposit_contract(), &logs, &mut assembly.summary.deposits)?;
        }
        assembly.receipts.push(Receipt {
            tx_type: TxType::try_from(block.transaction(index).tx_type()).unwrap_or_default(),
            success,
            cumulative_gas_used: assembly.gas_used,
            logs,
        });
        Ok(())
    }

    fn add_end(
        &self,
        block: &Block<Self>,
        queued: Requests,
        assembly: &mut Assembly<Self>,
    ) -> Result<(), InvalidBlock> {
        let deposits = std::mem::take(&mut assembly.summary.deposits);
        assembly.summary.requests = block.has_requests().then(|| system::all_requests(deposits, queued));
        Ok(())
    }
}
