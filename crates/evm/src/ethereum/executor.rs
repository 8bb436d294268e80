use super::chain_spec::ChainSpec;
use crate::api::Executor;
use crate::serial::PlainExecutor;
use tandem_stm::{Config, ConfigError};

impl Executor<ChainSpec> {
    /// An executor for Ethereum's blocks. Starts its threads.
    ///
    /// # Errors
    ///
    /// If a setting makes no sense or the threads cannot be started.
    pub fn new(config: &Config) -> Result<Self, ConfigError> {
        Self::for_protocol(config)
    }
}

impl PlainExecutor<ChainSpec> {
    /// An executor for Ethereum's blocks, that knows no code yet.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # let chain = Arc::new(tandem_evm::ChainSpec::known(1).unwrap());
    /// # let header = alloy_consensus::Header { number: 1, ..Default::default() };
    /// # let block = tandem_evm::Block::new(&chain, header, [], vec![], Default::default());
    /// # let store = tandem_evm::StoreRef(&tandem_state::MemoryStore::default());
    /// let executed = tandem_evm::PlainExecutor::new().execute(&store, &block).unwrap();
    /// let reward = executed.state_changes(&store).unwrap();
    /// assert_eq!((executed.gas_used, reward.accounts.len()), (0, 1));
    /// ```
    pub fn new() -> Self {
        Self::for_protocol()
    }
}

impl Default for PlainExecutor<ChainSpec> {
    fn default() -> Self {
        Self::new()
    }
}
