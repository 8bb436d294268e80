use alloy_consensus::transaction::Recovered;
use alloy_consensus::{Header, TxEnvelope};
use alloy_eips::eip4895::Withdrawal;
use std::sync::{Arc, LazyLock};
use tandem_evm::{Block, ChainSpec};

/// The chain that all blocks are of.
pub(crate) static CHAIN: LazyLock<Arc<ChainSpec>> = LazyLock::new(|| Arc::new(ChainSpec::known(1).unwrap()));

/// What a block is made of.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    pub(crate) header: Header,
    pub(crate) transactions: Vec<Recovered<TxEnvelope>>,
    pub(crate) ommers: Vec<Header>,
    pub(crate) withdrawals: Vec<Withdrawal>,
}

impl Draft {
    pub(crate) fn new(header: Header) -> Self {
        Self { header, transactions: vec![], ommers: vec![], withdrawals: vec![] }
    }

    pub(crate) fn build(&self) -> Block {
        self.build_on(&CHAIN)
    }

    /// The block with the rules of another chain.
    pub(crate) fn build_on(&self, chain: &Arc<ChainSpec>) -> Block {
        let Self { header, transactions, ommers, withdrawals } = self.clone();
        Block::new(chain, header, transactions, ommers, withdrawals.into())
    }
}
