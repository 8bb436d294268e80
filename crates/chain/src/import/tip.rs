use super::error::ImportError;
use crate::genesis::Genesis;
use crate::header_chain::HeaderChain;
use crate::rules::Ancestor;
use alloy_consensus::Header;
use alloy_primitives::{Sealable, U256};
use std::sync::Arc;
use tandem_evm::ChainSpec;
use tandem_state::database::{DatabaseError, Snapshot};

/// Headers to continue from: as many as BLOCKHASH can ask for.
const HEADERS: u64 = 256;
/// Blocks whose ommers a later block must not repeat.
const WITH_OMMERS: u64 = 7;

/// The rules of the chain in a database.
///
/// # Errors
///
/// If the database has no genesis or its description of the chain cannot be read.
pub fn chain_spec(snapshot: &Snapshot) -> Result<ChainSpec, ImportError> {
    let config = snapshot.config()?.ok_or(DatabaseError::NoGenesis)?;
    let genesis = Genesis::read(&config[..]).map_err(|error| ImportError::Config(error.to_string()))?;
    Ok(genesis.chain().clone())
}

/// The chain in a database, ready for its next block.
///
/// # Errors
///
/// If the database cannot be read or has no genesis.
pub fn header_chain(snapshot: &Snapshot) -> Result<HeaderChain, ImportError> {
    let chain = Arc::new(chain_spec(snapshot)?);
    let head = snapshot.head().ok_or(DatabaseError::NoGenesis)?.number;
    let header = |number| -> Result<Header, ImportError> {
        snapshot.header(number)?.ok_or(ImportError::Internal("a block below the head is not in the database"))
    };
    let mut ancestors = Vec::new();
    for number in head.saturating_sub(HEADERS - 1)..=head {
        let ommers = if head - number < WITH_OMMERS { snapshot.body(number)? } else { None };
        let ommers = ommers.map(|body| body.ommers).unwrap_or_default();
        let ommers = ommers.iter().map(Header::hash_slow).collect();
        ancestors.push(Ancestor { header: header(number)?.seal_slow(), ommers });
    }
    let mut total_difficulty = U256::ZERO;
    if chain.merge_block().is_none() {
        for number in 0..=head {
            let difficulty = header(number)?.difficulty;
            if difficulty.is_zero() && number > 0 {
                break;
            }
            total_difficulty = total_difficulty.saturating_add(difficulty);
        }
    }
    Ok(HeaderChain::resume(chain, ancestors, Some(total_difficulty))?)
}
