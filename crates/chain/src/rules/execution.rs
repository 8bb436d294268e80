use super::invalid::{Invalid, show};
use alloy_consensus::Header;
use alloy_hardforks::EthereumHardfork;
use alloy_primitives::{B256, Bloom};
use tandem_evm::{ChainSpec, FinishedBlock};
use thiserror::Error;

/// The header fields that execution determines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExecutionFields {
    /// Gas used by all transactions.
    pub gas_used: u64,
    /// The bloom filter over all logs.
    pub logs_bloom: Bloom,
    /// The root of the receipts trie, if it could be computed: before Byzantium receipts hold state roots.
    pub receipts_root: Option<B256>,
    /// The hash over the requests (EIP-7685); `None` before Prague.
    pub requests_hash: Option<B256>,
    /// The root of the state trie, if it was computed.
    pub state_root: Option<B256>,
}

impl ExecutionFields {
    /// The fields that the header of a finished block should have.
    pub fn new(chain: &ChainSpec, finished: &FinishedBlock, state_root: Option<B256>) -> Self {
        let header = finished.block.header();
        let has_status = chain.is_active(EthereumHardfork::Byzantium, header.number, header.timestamp);
        Self {
            gas_used: finished.gas_used,
            logs_bloom: finished.logs_bloom(),
            receipts_root: has_status.then(|| finished.receipts_root()),
            requests_hash: finished.requests_hash(),
            state_root,
        }
    }
}

/// A block whose header states other results than execution gives.
pub type ExecutionMismatch = Invalid<ExecutionFault>;

/// A field of the header that is not what execution gives, named as in the JSON of Ethereum's RPC.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum ExecutionFault {
    /// The gas used by all transactions.
    #[error("field gasUsed is {found}, expected {expected}")]
    GasUsed {
        /// The header's value.
        found: u64,
        /// The value that execution gives.
        expected: u64,
    },
    /// The receipts' root.
    #[error("field receiptsRoot is {found}, expected {expected}")]
    ReceiptsRoot {
        /// The header's value.
        found: B256,
        /// The value that execution gives.
        expected: B256,
    },
    /// The bloom filter over all logs.
    #[error("field logsBloom is {found}, expected {expected}")]
    LogsBloom {
        /// The header's value.
        found: Box<Bloom>,
        /// The value that execution gives.
        expected: Box<Bloom>,
    },
    /// The hash over the requests (EIP-7685).
    #[error("field requestsHash is {}, expected {}", show(found), show(expected))]
    RequestsHash {
        /// The header's value.
        found: Option<B256>,
        /// The value that execution gives.
        expected: Option<B256>,
    },
    /// The root of the state after the block.
    #[error("field stateRoot is {found}, expected {expected}")]
    StateRoot {
        /// The header's value.
        found: B256,
        /// The value that execution gives.
        expected: B256,
    },
}

/// Compares a header with the results of executing its block.
///
/// Returns the names of the fields that stay unchecked, because `executed` has no value for them.
///
/// # Errors
///
/// For the first field that differs.
pub fn validate_execution(
    header: &Header,
    executed: &ExecutionFields,
) -> Result<Vec<&'static str>, ExecutionMismatch> {
    match compare(header, executed) {
        None => {
            let fields = [("receiptsRoot", executed.receipts_root), ("stateRoot", executed.state_root)];
            Ok(fields.into_iter().filter(|(_, root)| root.is_none()).map(|(field, _)| field).collect())
        }
        Some(fault) => Err(ExecutionMismatch { number: header.number, hash: header.hash_slow(), fault }),
    }
}

fn compare(header: &Header, executed: &ExecutionFields) -> Option<ExecutionFault> {
    let (found, expected) = (header.gas_used, executed.gas_used);
    if found != expected {
        return Some(ExecutionFault::GasUsed { found, expected });
    }
    if header.logs_bloom != executed.logs_bloom {
        let (found, expected) = (Box::new(header.logs_bloom), Box::new(executed.logs_bloom));
        return Some(ExecutionFault::LogsBloom { found, expected });
    }
    let (found, expected) = (header.receipts_root, executed.receipts_root.unwrap_or(header.receipts_root));
    if found != expected {
        return Some(ExecutionFault::ReceiptsRoot { found, expected });
    }
    let (found, expected) = (header.requests_hash, executed.requests_hash);
    if found != expected {
        return Some(ExecutionFault::RequestsHash { found, expected });
    }
    let (found, expected) = (header.state_root, executed.state_root.unwrap_or(header.state_root));
    (found != expected).then_some(ExecutionFault::StateRoot { found, expected })
}
