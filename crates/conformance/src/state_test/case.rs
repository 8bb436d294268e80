use super::expected::Expected;
use super::format::{Env, StateTest};
use super::transaction::TransactionError;
use crate::network;
use crate::outcome::Problem;
use crate::rejection::Rejection;
use crate::world::{World, hash_of_number};
use alloy_consensus::Header;
use alloy_consensus::TxEnvelope;
use alloy_consensus::transaction::Recovered;
use alloy_eips::eip4895::Withdrawals;
use alloy_primitives::{B256, U256};
use std::sync::Arc;
use tandem_evm::{Block, ChainSpec};

/// One transaction of a state test, ready to be executed.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) chain: Arc<ChainSpec>,
    pub(crate) header: Header,
    /// The transaction, or why there is none.
    pub(crate) transaction: Result<Recovered<TxEnvelope>, Rejection>,
}

impl Case {
    /// The subject of `expected`.
    ///
    /// # Errors
    ///
    /// The fault of the test itself, or the fork that is not supported.
    pub(crate) fn new(test: &StateTest, fork: &str, expected: &Expected) -> Result<Self, Problem> {
        let chain = network::chain(fork, &test.config)?;
        let transaction = match test.transaction.signed(expected, chain.chain_id()) {
            Ok(transaction) => Ok(transaction),
            Err(TransactionError::Malformed(reason)) => Err(Rejection::Malformed(reason)),
            Err(TransactionError::Contradiction(reason)) => return Err(reason.into()),
        };
        Ok(Self { header: header(&test.env, &chain)?, chain: Arc::new(chain), transaction })
    }

    /// The same in a state where nothing can be created at some addresses.
    pub(crate) fn with_occupied_addresses(self, world: &World) -> Self {
        let chain = ChainSpec::clone(&self.chain).with_occupied_addresses(world.occupied_addresses());
        Self { chain: Arc::new(chain), ..self }
    }

    /// A block of the transaction and nothing else; `None` if there is none.
    pub(crate) fn block(&self) -> Option<Block> {
        let transaction = self.transaction.clone().ok()?;
        let block =
            Block::new(&self.chain, self.header.clone(), [transaction], Vec::new(), Withdrawals::default());
        Some(block.without_system_steps())
    }
}

/// The header of a block with this environment.
fn header(env: &Env, chain: &ChainSpec) -> Result<Header, String> {
    let narrow = |field: &str, number: U256| {
        u64::try_from(number).map_err(|_| format!("env.{field} {number} is too large"))
    };
    let number = narrow("currentNumber", env.current_number)?;
    let timestamp = narrow("currentTimestamp", env.current_timestamp)?;
    let optional = |field: &str, number: Option<U256>| number.map(|number| narrow(field, number)).transpose();
    let has_blobs = chain.blob_params(timestamp).is_some();
    Ok(Header {
        number,
        timestamp,
        parent_hash: number.checked_sub(1).map(hash_of_number).unwrap_or_default(),
        beneficiary: env.current_coinbase,
        difficulty: env.current_difficulty,
        gas_limit: narrow("currentGasLimit", env.current_gas_limit)?,
        base_fee_per_gas: optional("currentBaseFee", env.current_base_fee)?,
        mix_hash: env.current_random.map(B256::from).unwrap_or_default(),
        excess_blob_gas: optional("currentExcessBlobGas", env.current_excess_blob_gas)?
            .or(has_blobs.then_some(0)),
        ..Header::default()
    })
}
