use super::chain_spec::ChainSpec;
use crate::api::Executor;
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
