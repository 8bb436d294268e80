//! Ethereum: the first chain, and the only place with its rules.

mod alloy;
mod block;
mod chain_spec;
mod deposits;
mod executor;
mod fees;
mod finished;
mod protocol;
mod read_ahead;
mod receipts;
mod senders;
mod sstore_1283;
mod system;

pub use alloy::{AlloyBlock, AlloyExecutor, bundle_difference};
pub use block::EthereumBody;
pub use chain_spec::ChainSpec;
pub use protocol::EthereumSummary;
pub use read_ahead::ReadHint;
pub use receipts::{Receipt, logs_bloom, receipts_root, receipts_root_before_byzantium};
pub use senders::{RecoverAhead, SenderError, SignedBlock};
