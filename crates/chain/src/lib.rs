//! Blocks of Ethereum chains: reading them, the genesis they start from, and the rules that bind them to their parents.
//!
//! [`Genesis`] and [`ChainFile`] read what geth reads. [`HeaderChain`] checks blocks one after another, as an import
//! does; the functions that it is made of are public, too. Executing blocks is [`tandem_evm`]'s part, and
//! [`validate_execution`] compares its results with the header.
#![forbid(unsafe_code)]

mod codec;
mod genesis;
mod header_chain;
pub mod import;
mod rules;
mod seal;

pub use codec::{
    ChainFile, DecodeError, EncodedBlock, FileBlock, MAX_BLOCK_LENGTH, ReadError, ReadErrorKind, SealedBlock,
    decode_block, signed_block, write_block,
};
pub use genesis::{Genesis, GenesisAccount, GenesisError};
pub use header_chain::{BrokenChain, HeaderChain};
pub use rules::{
    Ancestor, BlockError, BodyError, BodyFault, ExecutionFault, ExecutionFields, ExecutionMismatch,
    ExtraDataRule, HeaderError, HeaderFault, Invalid, OmmerError, OmmerFault, missing_field, next_base_fee,
    next_difficulty, next_excess_blob_gas, validate_body, validate_execution, validate_header,
    validate_ommers,
};
pub use seal::{BlockAttributes, SealError, next_header, seal};
