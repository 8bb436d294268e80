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
    pub fn new() -> Self {
        Self::for_protocol()
    }
}

impl Default for PlainExecutor<ChainSpec> {
    fn default() -> Self {
        Self::new()
    }
}
