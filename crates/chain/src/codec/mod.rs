//! Blocks as bytes: RLP, and files of it.

mod block;
mod cursor;
mod decode;
mod error;
mod file;
mod header;

pub use block::{SealedBlock, signed_block, write_block};
pub use decode::decode_block;
pub use error::{DecodeError, ReadError, ReadErrorKind};
pub use file::{ChainFile, EncodedBlock, FileBlock, MAX_BLOCK_LENGTH};
