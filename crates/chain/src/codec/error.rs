use std::fmt::{Display, Formatter};
use std::io;
use std::path::PathBuf;
use thiserror::Error;

/// Bytes that are not a block's RLP.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{field}, at byte {offset}: {error}")]
pub struct DecodeError {
    /// The field that could not be decoded: `header.gasLimit`, `transactions[3]`.
    pub field: String,
    /// Where it begins, counted from the block's first byte.
    pub offset: usize,
    /// The fault there.
    pub error: alloy_rlp::Error,
}

/// A file that cannot be read as blocks. It says nothing about blocks read before.
#[derive(Debug)]
pub struct ReadError {
    /// The file.
    pub path: PathBuf,
    /// How many blocks come before the one that cannot be read.
    pub index: u64,
    /// Where that block begins, in bytes; in a compressed file, in what it decompresses to.
    pub offset: u64,
    /// The fault.
    pub kind: ReadErrorKind,
}

/// A fault in a file of blocks.
#[derive(Debug, Error)]
pub enum ReadErrorKind {
    /// The file cannot be opened.
    #[error("it cannot be opened: {0}")]
    Open(#[source] io::Error),
    /// Reading failed.
    #[error("reading failed: {0}")]
    Io(#[source] io::Error),
    /// The file ends within the block.
    #[error("the file ends within the block")]
    Truncated,
    /// There is no block here, but something else.
    #[error("its first byte is 0x{0:02x}, which begins no list")]
    NoList(u8),
    /// The block's length is not written as RLP demands.
    #[error("its length is not encoded in the shortest way")]
    Length,
    /// The block claims to be longer than [`MAX_BLOCK_LENGTH`](super::MAX_BLOCK_LENGTH).
    #[error("its length is {0} bytes, more than can be read")]
    TooLong(u64),
    /// The block is not what RLP or the block's structure demand.
    #[error(transparent)]
    Decode(DecodeError),
}

impl Display for ReadError {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        let Self { path, index, offset, kind } = self;
        match kind {
            ReadErrorKind::Open(_) => write!(f, "{}: {kind}", path.display()),
            _ => write!(f, "{}: block {index} of the file, at byte {offset}: {kind}", path.display()),
        }
    }
}

impl std::error::Error for ReadError {}
