use super::fault::HeaderFault;
use super::header::{Consensus, check};
use super::invalid::Invalid;
use alloy_consensus::Header;
use alloy_primitives::{B256, Sealed};
use tandem_evm::ChainSpec;
use thiserror::Error;

/// How many ancestors of a block its ommers may have to do with: an ommer's parent is at most the seventh.
pub(crate) const GENERATIONS: usize = 7;

/// The most ommers of a block (Yellow Paper, 11.1).
const MAX_OMMERS: usize = 2;

/// A block on the way from the genesis to the one that is checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ancestor {
    /// Its header.
    pub header: Sealed<Header>,
    /// The hashes of its ommers.
    pub ommers: Vec<B256>,
}

/// A block whose ommers break a rule.
pub type OmmerError = Invalid<OmmerFault>;

/// A fault in a list of ommers (Yellow Paper, 11.1). An index is that in the block's list.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum OmmerFault {
    /// Too many of them.
    #[error("it has {found} ommers, expected at most {MAX_OMMERS}")]
    TooMany {
        /// How many.
        found: usize,
    },
    /// One was rewarded already, in this block or in an ancestor.
    #[error("ommer {index} ({hash}) is an ommer already of block {of}")]
    Repeated {
        /// Which one.
        index: usize,
        /// Its hash.
        hash: B256,
        /// The number of the block that has it already.
        of: u64,
    },
    /// One is an ancestor of the block.
    #[error("ommer {index} ({hash}) is an ancestor of the block")]
    IsAncestor {
        /// Which one.
        index: usize,
        /// Its hash.
        hash: B256,
    },
    /// One is a sibling of the block, too old, or of another chain.
    #[error(
        "the parent {parent} of ommer {index} ({hash}) is none of the block's ancestors 2 to {GENERATIONS}"
    )]
    Unrelated {
        /// Which one.
        index: usize,
        /// Its hash.
        hash: B256,
        /// The hash of its parent.
        parent: B256,
    },
    /// One has a header that its own parent does not allow.
    #[error("ommer {index} ({hash}): {fault}")]
    Header {
        /// Which one.
        index: usize,
        /// Its hash.
        hash: B256,
        /// The field that does not fit.
        fault: Box<HeaderFault>,
    },
}

/// Checks the ommers of the block with this header.
///
/// `ancestors` are the block's last seven, the parent last; all there are of a block that has fewer. Earlier ones are
/// ignored. That the list is the one which the header names is for [`validate_body`](super::validate_body) to check.
/// As in headers, the seal is not checked.
///
/// # Errors
///
/// For the first ommer that breaks a rule.
pub fn validate_ommers(
    chain: &ChainSpec,
    header: &Header,
    ommers: &[Header],
    ancestors: &[Ancestor],
) -> Result<(), OmmerError> {
    check_ommers(chain, header, ommers, ancestors).map_err(|fault| OmmerError {
        number: header.number,
        hash: header.hash_slow(),
        fault,
    })
}

fn check_ommers(
    chain: &ChainSpec,
    header: &Header,
    ommers: &[Header],
    ancestors: &[Ancestor],
) -> Result<(), OmmerFault> {
    if ommers.len() > MAX_OMMERS {
        return Err(OmmerFault::TooMany { found: ommers.len() });
    }
    let ancestors = &ancestors[ancestors.len().saturating_sub(GENERATIONS)..];
    let hashes: Vec<_> = ommers.iter().map(Header::hash_slow).collect();
    for (index, (ommer, &hash)) in ommers.iter().zip(&hashes).enumerate() {
        if hashes[..index].contains(&hash) {
            return Err(OmmerFault::Repeated { index, hash, of: header.number });
        }
        if let Some(ancestor) = ancestors.iter().find(|ancestor| ancestor.ommers.contains(&hash)) {
            return Err(OmmerFault::Repeated { index, hash, of: ancestor.header.number });
        }
        if ancestors.iter().any(|ancestor| ancestor.header.hash() == hash) {
            return Err(OmmerFault::IsAncestor { index, hash });
        }
        let parent = ancestors
            .iter()
            .map(|ancestor| &ancestor.header)
            .find(|ancestor| ancestor.hash() == ommer.parent_hash && ommer.parent_hash != header.parent_hash);
        let Some(parent) = parent else {
            return Err(OmmerFault::Unrelated { index, hash, parent: ommer.parent_hash });
        };
        check(chain, parent, Consensus::Work, ommer).map_err(|fault| OmmerFault::Header {
            index,
            hash,
            fault: Box::new(fault),
        })?;
    }
    Ok(())
}
