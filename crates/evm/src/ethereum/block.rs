use super::chain_spec::ChainSpec;
use crate::protocol::Block;
use alloy_consensus::transaction::Recovered;
use alloy_consensus::{Header, TxEnvelope};
use alloy_eips::eip4895::Withdrawals;
use alloy_evm::{EvmEnv, FromRecoveredTx};
use alloy_primitives::B256;
use revm::context::TxEnv;
use revm::primitives::hardfork::SpecId;
use std::sync::Arc;

/// What an Ethereum block has besides its transactions.
#[derive(Clone, Debug, Default)]
pub struct EthereumBody {
    /// The header.
    pub header: Header,
    /// Headers of ommers, for their rewards.
    pub ommers: Vec<Header>,
    /// Withdrawals; empty before Shanghai.
    pub withdrawals: Withdrawals,
}

impl Block<ChainSpec> {
    /// A block of `chain`.
    ///
    /// `ommers` are needed for their rewards, before the merge; they are not checked here, and neither is the header.
    /// `withdrawals` are empty before Shanghai.
    ///
    /// A block whose rules are not known, or whose header does not tell what they need, is none that is executed: whoever
    /// tries gets [`crate::ExecutionError::Fork`] or [`crate::ExecutionError::Block`].
    pub fn new(
        chain: &Arc<ChainSpec>,
        header: Header,
        transactions: impl IntoIterator<Item = Recovered<TxEnvelope>>,
        ommers: Vec<Header>,
        withdrawals: Withdrawals,
    ) -> Self {
        let transactions = transactions.into_iter().map(|transaction| {
            let (transaction, sender) = transaction.into_parts();
            let env = TxEnv::from_recovered_tx(&transaction, sender);
            (*transaction.tx_hash(), Arc::new(env))
        });
        Self::of(chain, EthereumBody { header, ommers, withdrawals }, transactions)
    }

    /// Transactions as revm executes them, in an environment: what a loop over revm has at hand. Nothing happens but the transactions; the
    /// header has what the environment tells, and `parent_hash` is what BLOCKHASH gives for the block before.
    pub fn from_env(
        chain: &Arc<ChainSpec>,
        env: EvmEnv,
        parent_hash: B256,
        transactions: impl IntoIterator<Item = TxEnv>,
    ) -> Self {
        let block = &env.block_env;
        let header = Header {
            parent_hash,
            number: block.number.saturating_to(),
            timestamp: block.timestamp.saturating_to(),
            beneficiary: block.beneficiary,
            gas_limit: block.gas_limit,
            base_fee_per_gas: Some(block.basefee),
            difficulty: block.difficulty,
            mix_hash: block.prevrandao.unwrap_or_default(),
            ..Header::default()
        };
        // Nobody asks for the hashes, which are gone with the signatures, but messages: they name transactions by position.
        let transactions = transactions.into_iter().map(|tx| (B256::ZERO, Arc::new(tx)));
        let body = EthereumBody { header, ..EthereumBody::default() };
        Self::of(chain, body, transactions).with_env(env).without_system_steps()
    }

    /// The header as given.
    pub fn header(&self) -> &Header {
        &self.body().header
    }

    /// The name of the newest active fork, or of the one for which the block is not executed.
    pub fn fork(&self) -> &'static str {
        let header = self.header();
        self.protocol().fork(header.number, header.timestamp).unwrap_or_else(|error| error.fork())
    }

    /// Whether receipts hold the state's root after their transactions, as they did before Byzantium (EIP-658).
    pub fn receipts_hold_roots(&self) -> bool {
        !self.is_enabled(SpecId::BYZANTIUM)
    }

    /// Whether requests are collected (EIP-7685).
    pub(super) fn has_requests(&self) -> bool {
        self.has_system_steps() && self.is_enabled(SpecId::PRAGUE)
    }

    /// Whether SSTORE costs what EIP-1283 says.
    pub(super) fn has_net_gas(&self) -> bool {
        self.protocol().has_net_gas(self.id().number)
    }
}
