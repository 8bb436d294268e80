use super::errors::EvmError;
use super::transaction::Transaction;
use super::{Block, Protocol};
use crate::error::{BlockId, ExecutionError, InvalidBlock, Refusal};
use crate::state::Fault;
use alloy_evm::EvmEnv;
use alloy_primitives::{Address, B256};
use revm::context::Transaction as _;
use revm::primitives::hardfork::SpecId;
use std::sync::Arc;

impl<P: Protocol> Block<P> {
    /// A block of a chain: what it has besides its transactions, and these, each with its hash.
    ///
    /// A block whose rules are not known, or which does not tell what they need, is none that is executed: whoever tries gets
    /// [`ExecutionError::Fork`] or [`ExecutionError::Block`].
    pub fn of(
        protocol: &Arc<P>,
        body: P::Body,
        transactions: impl IntoIterator<Item = (B256, P::Tx)>,
    ) -> Self {
        let (env, refusal) = match protocol.environment(&body) {
            Ok(env) => (env, None),
            Err(refusal) => (EvmEnv::default(), Some(refusal)),
        };
        let transactions = transactions.into_iter().map(|(hash, tx)| Transaction::new(hash, tx));
        Self {
            id: protocol.block_id(&body),
            transactions: transactions.collect(),
            protocol: protocol.clone(),
            body,
            env,
            has_system_steps: true,
            refusal,
        }
    }

    /// The error of a block that is not executed at all.
    pub(crate) fn check(&self) -> Result<(), ExecutionError<Fault>> {
        let block = self.id;
        match self.refusal.clone() {
            None => Ok(()),
            Some(Refusal::Fork(error)) => Err(ExecutionError::Fork { block, error }),
            Some(Refusal::Invalid(error)) => Err(ExecutionError::Block { block, error }),
        }
    }

    /// The block in an environment of the caller's, whatever its chain says: of a block that is still being made, say.
    #[must_use]
    pub fn with_env(self, env: EvmEnv) -> Self {
        Self { env, refusal: None, ..self }
    }

    /// Leaves the transactions alone: no system calls, no requests, no withdrawals, no block rewards.
    ///
    /// On Ethereum the beneficiary gets a reward of zero at the end, as the official state tests have it. Before EIP-161 that
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

    /// The chain.
    pub fn protocol(&self) -> &Arc<P> {
        &self.protocol
    }

    /// What the block has besides its transactions.
    pub fn body(&self) -> &P::Body {
        &self.body
    }

    /// The environment in which its transactions execute.
    pub fn env(&self) -> &EvmEnv {
        &self.env
    }

    /// revm's name for the rules that apply.
    pub fn spec_id(&self) -> SpecId {
        self.env.cfg_env.spec
    }

    /// Whether anything but the transactions happens.
    pub fn has_system_steps(&self) -> bool {
        self.has_system_steps
    }

    /// Number of transactions.
    pub fn transaction_count(&self) -> usize {
        self.transactions.len()
    }

    /// The transaction at `index`, as revm executes it.
    ///
    /// # Panics
    ///
    /// If there is no such transaction.
    pub fn transaction(&self, index: usize) -> &P::Tx {
        &self.transactions[index].tx
    }

    /// The hash of the transaction at `index`.
    ///
    /// # Panics
    ///
    /// If there is no such transaction.
    pub fn transaction_hash(&self, index: usize) -> B256 {
        self.transactions[index].hash
    }

    /// Whether the block's gas limit leaves what the transaction at `index` asks for, where those before it used `gas_used`.
    ///
    /// # Errors
    ///
    /// If it does not.
    ///
    /// # Panics
    ///
    /// If there is no such transaction.
    pub fn check_gas_limit(&self, index: usize, gas_used: u64) -> Result<(), InvalidBlock> {
        let available = self.env.block_env.gas_limit.saturating_sub(gas_used);
        let wanted = self.transactions[index].gas_limit;
        if wanted > available {
            return Err(InvalidBlock::GasLimit { index, wanted, available });
        }
        Ok(())
    }

    /// The transactions' senders, in order.
    pub fn senders(&self) -> impl Iterator<Item = Address> {
        self.transactions.iter().map(|transaction| transaction.tx.caller())
    }

    /// Whether accounts with neither balance, nonce nor code do not exist (EIP-161).
    pub fn clears_empty_accounts(&self) -> bool {
        self.is_enabled(SpecId::SPURIOUS_DRAGON)
    }

    /// Whether codes can be delegations (EIP-7702).
    pub(crate) fn has_delegations(&self) -> bool {
        self.is_enabled(SpecId::PRAGUE)
    }

    pub(crate) fn is_enabled(&self, spec: SpecId) -> bool {
        self.spec_id().is_enabled_in(spec)
    }

    /// The error of a transaction, by consequence.
    pub(crate) fn transaction_error(&self, index: usize, error: EvmError) -> ExecutionError<Fault> {
        let block = self.id;
        match error {
            EvmError::Transaction(error) => {
                ExecutionError::Transaction { block, index, hash: self.transaction_hash(index), error }
            }
            EvmError::Database(error) => error.in_block(block),
            other => ExecutionError::Internal(format!("block {block}, transaction {index}: {other}")),
        }
    }
}
