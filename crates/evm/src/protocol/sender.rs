use super::Protocol;
use alloy_primitives::U256;
use revm::context::{BlockEnv, Transaction};
use revm::primitives::hardfork::SpecId;

/// How a chain's handler looks at a sender's nonce and funds before a transaction executes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SenderRule {
    /// The nonce must be the transaction's, and the balance must cover `cost` (wei). The engine predicts that both hold, and depends
    /// on that alone.
    Standard {
        /// What must be there. With more, nothing is different.
        cost: U256,
    },
    /// Whatever the handler does: the engine depends on nonce and balance as they are.
    Exact,
}

impl SenderRule {
    /// Ethereum's rule: value, gas at the highest price, and blobs.
    pub fn standard(tx: &impl Transaction) -> Self {
        Self::Standard { cost: tx.max_balance_spending().unwrap_or(U256::MAX) }
    }
}

/// What a transaction's fees depend on.
#[derive(Debug)]
pub struct Charge<'a, P: Protocol> {
    /// The transaction.
    pub tx: &'a P::Tx,
    /// Its block's environment.
    pub block: &'a BlockEnv,
    /// Its block's rules.
    pub spec: SpecId,
    /// Gas used, after refunds.
    pub gas_used: u64,
}
