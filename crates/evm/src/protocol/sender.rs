use alloy_primitives::U256;
use revm::context::Transaction;

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
