use crate::base::Fault;
use crate::chain::ChainSpec;
use crate::error::{ExecutionError, ForkError, InvalidBlock};
use crate::net_gas;
use alloy_consensus::Header;
use alloy_consensus::TxEnvelope;
use alloy_consensus::transaction::Recovered;
use alloy_eips::Typed2718;
use alloy_eips::eip4895::Withdrawals;
use alloy_evm::{EvmEnv, FromRecoveredTx};
use alloy_primitives::{Address, B256};
use revm::context::{BlockEnv, CfgEnv, TxEnv};
use revm::primitives::hardfork::SpecId;
use std::sync::Arc;

/// Names a block in messages: by number, and by chain where there are several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockId {
    /// The chain's id.
    pub chain_id: u64,
    /// The block's number.
    pub number: u64,
}

impl std::fmt::Display for BlockId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}", self.chain_id, self.number)
    }
}

/// A transaction, made ready to be executed any number of times.
#[derive(Clone, Debug)]
pub(crate) struct Transaction {
    pub(crate) hash: B256,
    pub(crate) tx_type: u8,
    pub(crate) env: Arc<TxEnv>,
    /// Says which function of which contract it calls, if it calls one. A hint: different ones may have the same number.
    pub(crate) callee: Option<u64>,
    /// That of `env`: here, too, for whoever looks at many transactions and would wait for the memory of each.
    pub(crate) gas_limit: u64,
}

/// What tells the function that a transaction calls from others.
fn callee(env: &TxEnv) -> Option<u64> {
    let selector = u32::from_le_bytes(*env.data.first_chunk()?);
    let (head, _) = env.kind.to()?.split_first_chunk()?;
    Some(u64::from_le_bytes(*head) ^ u64::from(selector))
}

/// A block to execute: decoded, its senders known.
#[derive(Clone, Debug)]
pub struct Block {
    pub(crate) id: BlockId,
    pub(crate) spec: SpecId,
    pub(crate) fork: &'static str,
    pub(crate) header: Header,
    pub(crate) transactions: Vec<Transaction>,
    pub(crate) ommers: Vec<Header>,
    pub(crate) withdrawals: Withdrawals,
    pub(crate) cfg: CfgEnv,
    pub(crate) env: BlockEnv,
    pub(crate) chain: Arc<ChainSpec>,
    /// Whether anything but the transactions happens: system calls, requests, withdrawals, rewards.
    pub(crate) has_system_steps: bool,
    /// Why the block is not executed at all, if it is not.
    refusal: Option<Refusal>,
}

/// Why a block is not executed at all.
#[derive(Clone, Debug)]
enum Refusal {
    Fork(ForkError),
    Invalid(InvalidBlock),
}

impl Block {
    /// A block of `chain`.
    ///
    /// `ommers` are needed for their rewards, before the merge; they are not checked here, and neither is the header.
    /// `withdrawals` are empty before Shanghai.
    ///
    /// A block whose rules are not known, or whose header does not tell what they need, is none that is executed: whoever
    /// tries gets [`ExecutionError::Fork`] or [`ExecutionError::Block`].
    pub fn new(
        chain: &Arc<ChainSpec>,
        header: Header,
        transactions: impl IntoIterator<Item = Recovered<TxEnvelope>>,
        ommers: Vec<Header>,
        withdrawals: Withdrawals,
    ) -> Self {
        let (fork, spec, mut refusal) = match chain.fork(header.number, header.timestamp) {
            Ok(fork) => (fork, chain.spec_id(header.number, header.timestamp).unwrap_or_default(), None),
            Err(error) => (error.fork(), SpecId::default(), Some(Refusal::Fork(error))),
        };
        let blob_params = chain.blob_params(header.timestamp);
        let EvmEnv { mut cfg_env, block_env, .. } =
            EvmEnv::for_eth_block(&header, chain.hardforks(), chain.chain_id(), blob_params);
        if refusal.is_none() && spec.is_enabled_in(SpecId::CANCUN) {
            let missing = InvalidBlock::MissingField { field: "excessBlobGas", fork };
            refusal = match (blob_params, header.excess_blob_gas) {
                (None, _) => Some(Refusal::Fork(ForkError::NoBlobParams { fork })),
                (_, None) => Some(Refusal::Invalid(missing)),
                _ => None,
            };
        }
        if chain.has_net_gas(header.number) {
            cfg_env.set_gas_params(net_gas::gas_params());
        }
        let transactions = transactions
            .into_iter()
            .map(|transaction| {
                let (transaction, sender) = transaction.into_parts();
                let env = TxEnv::from_recovered_tx(&transaction, sender);
                Transaction {
                    hash: *transaction.tx_hash(),
                    tx_type: transaction.ty(),
                    callee: callee(&env),
                    gas_limit: env.gas_limit,
                    env: Arc::new(env),
                }
            })
            .collect();
        Self {
            id: BlockId { chain_id: chain.chain_id(), number: header.number },
            fork,
            spec,
            transactions,
            ommers,
            withdrawals,
            cfg: cfg_env,
            env: block_env,
            chain: chain.clone(),
            has_system_steps: true,
            refusal,
            header,
        }
    }

    /// The error of a block that is not executed at all.
    pub(crate) fn check(&self) -> Result<(), ExecutionError<Fault>> {
        match &self.refusal {
            None => Ok(()),
            Some(Refusal::Fork(error)) => Err(ExecutionError::Fork { block: self.id, error: *error }),
            Some(Refusal::Invalid(error)) => {
                Err(ExecutionError::Block { block: self.id, error: error.clone() })
            }
        }
    }

    /// Leaves the transactions alone: no system calls, no requests, no withdrawals, no block rewards.
    ///
    /// The beneficiary gets a reward of zero at the end, as the official state tests have it. Before EIP-161 that
    /// brings its account into being.
    #[must_use]
    pub fn without_system_steps(self) -> Self {
        Self { has_system_steps: false, ..self }
    }

    /// The block with none of its transactions but the one at `index`, and no system steps: to see what that one does on the
    /// state before the block.
    ///
    /// # Panics
    ///
    /// If there is no such transaction.
    #[must_use]
    pub fn alone(&self, index: usize) -> Self {
        let transactions = vec![self.transactions[index].clone()];
        Self { transactions, ..self.clone() }.without_system_steps()
    }

    /// Chain and number.
    pub fn id(&self) -> BlockId {
        self.id
    }

    /// The header as given.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The name of the newest active fork, or of the one for which the block is not executed.
    pub fn fork(&self) -> &'static str {
        self.fork
    }

    /// revm's name for the rules that apply.
    pub fn spec_id(&self) -> SpecId {
        self.spec
    }

    /// Whether receipts hold the state's root after their transactions, as they did before Byzantium (EIP-658).
    pub fn receipts_hold_roots(&self) -> bool {
        !self.is_enabled(SpecId::BYZANTIUM)
    }

    /// Whether accounts with neither balance, nonce nor code do not exist (EIP-161).
    pub fn clears_empty_accounts(&self) -> bool {
        self.is_enabled(SpecId::SPURIOUS_DRAGON)
    }

    /// Number of transactions.
    pub fn transaction_count(&self) -> usize {
        self.transactions.len()
    }

    /// The transactions' senders, in order.
    pub fn senders(&self) -> impl Iterator<Item = Address> {
        self.transactions.iter().map(|transaction| transaction.env.caller)
    }

    /// Whether SSTORE costs what EIP-1283 says.
    pub(crate) fn has_net_gas(&self) -> bool {
        self.chain.has_net_gas(self.id.number)
    }

    /// Whether requests are collected (EIP-7685).
    pub(crate) fn has_requests(&self) -> bool {
        self.has_system_steps && self.is_enabled(SpecId::PRAGUE)
    }

    pub(crate) fn is_enabled(&self, spec: SpecId) -> bool {
        self.spec.is_enabled_in(spec)
    }
}
