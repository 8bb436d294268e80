use super::block::SealedBlock;
use super::decode::decode_block;
use super::error::{DecodeError, ReadError, ReadErrorKind};
use flate2::read::MultiGzDecoder;
use std::ffi::OsStr;
use std::fmt::{Debug, Formatter};
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;
use std::sync::Arc;

/// The most bytes of a block that [`ChainFile`] reads: 256 MiB. Blocks of public chains are a hundred times shorter; the
/// bound keeps a broken length from filling the memory.
pub const MAX_BLOCK_LENGTH: u64 = 1 << 28;

/// How much of a file is read at once.
const BUFFER: usize = 1 << 18;

/// Reads the blocks of a file that holds their RLP, one after another, as `geth export` writes it.
///
/// It holds one block at a time, so that files may be of any length, and pipes do as well. After an error it ends.
///
/// Decoding takes most of the time. To spread it over threads, take [`EncodedBlock`]s by
/// [`ChainFile::next_encoded`].
pub struct ChainFile {
    path: Arc<Path>,
    reader: Box<dyn Read + Send>,
    /// Of the next block.
    index: u64,
    /// Of the next block.
    offset: u64,
    failed: bool,
}

/// A block of a file, not decoded yet.
#[derive(Clone, Debug)]
pub struct EncodedBlock {
    path: Arc<Path>,
    index: u64,
    offset: u64,
    bytes: Vec<u8>,
}

/// A block of a file.
#[derive(Clone, Debug)]
pub struct FileBlock {
    /// How many blocks come before it in the file.
    pub index: u64,
    /// Where it begins in the file, in bytes; in a compressed file, in what it decompresses to.
    pub offset: u64,
    /// How many bytes it has.
    pub length: usize,
    /// The block.
    pub block: SealedBlock,
}

impl ChainFile {
    /// Opens a file. If its name ends in `.gz`, it is decompressed.
    ///
    /// # Errors
    ///
    /// If it cannot be opened.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, ReadError> {
        let path = path.as_ref();
        let file = File::open(path).map_err(|error| ReadError {
            path: path.to_owned(),
            index: 0,
            offset: 0,
            kind: ReadErrorKind::Open(error),
        })?;
        if path.extension() == Some(OsStr::new("gz")) {
            Ok(Self::from_reader(path, MultiGzDecoder::new(BufReader::with_capacity(BUFFER, file))))
        } else {
            Ok(Self::from_reader(path, file))
        }
    }

    /// Reads blocks from anywhere; `name` is how errors call it.
    pub fn from_reader(name: impl AsRef<Path>, reader: impl Read + Send + 'static) -> Self {
        Self {
            path: name.as_ref().into(),
            reader: Box::new(BufReader::with_capacity(BUFFER, reader)),
            index: 0,
            offset: 0,
            failed: false,
        }
    }

    /// The next block, not decoded; `None` at the end of the file.
    ///
    /// # Errors
    ///
    /// If the file cannot be read on, or does not go on with a list of RLP.
    pub fn next_encoded(&mut self) -> Option<Result<EncodedBlock, ReadError>> {
        if self.failed {
            return None;
        }
        let (path, index, offset) = (Arc::clone(&self.path), self.index, self.offset);
        match self.read_list() {
            Ok(bytes) if bytes.is_empty() => None,
            Ok(bytes) => {
                self.index += 1;
                self.offset += bytes.len() as u64;
                Some(Ok(EncodedBlock { path, index, offset, bytes }))
            }
            Err(kind) => {
                self.failed = true;
                Some(Err(ReadError { path: path.to_path_buf(), index, offset, kind }))
            }
        }
    }

    /// Reads a list, its head included; nothing at the end of the file.
    fn read_list(&mut self) -> Result<Vec<u8>, ReadErrorKind> {
        let mut bytes = Vec::new();
        self.read_more(1, &mut bytes)?;
        let Some(&first) = bytes.first() else { return Ok(bytes) };
        let length = match first {
            0..=0xbf => return Err(ReadErrorKind::NoList(first)),
            0xc0..=0xf7 => u64::from(first - 0xc0),
            0xf8.. => {
                let size = usize::from(first - 0xf7);
                self.read_exactly(size as u64, &mut bytes)?;
                let length = bytes[1..].iter().fold(0, |length, byte| length << 8 | u64::from(*byte));
                if bytes[1] == 0 || length < 56 {
                    return Err(ReadErrorKind::Length);
                }
                length
            }
        };
        if length > MAX_BLOCK_LENGTH {
            return Err(ReadErrorKind::TooLong(length));
        }
        self.read_exactly(length, &mut bytes)?;
        Ok(bytes)
    }

    fn read_exactly(&mut self, count: u64, bytes: &mut Vec<u8>) -> Result<(), ReadErrorKind> {
        let before = bytes.len() as u64;
        self.read_more(count, bytes)?;
        if bytes.len() as u64 - before < count { Err(ReadErrorKind::Truncated) } else { Ok(()) }
    }

    /// Appends up to `count` bytes, fewer at the end of the file. Memory grows with what is there, not with `count`.
    fn read_more(&mut self, count: u64, bytes: &mut Vec<u8>) -> Result<(), ReadErrorKind> {
        match (&mut self.reader).take(count).read_to_end(bytes) {
            Ok(_) => Ok(()),
            // The error of a compressed file that is cut off.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(ReadErrorKind::Truncated),
            Err(error) => Err(ReadErrorKind::Io(error)),
        }
    }
}

impl Iterator for ChainFile {
    type Item = Result<FileBlock, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        let block = self.next_encoded()?.and_then(EncodedBlock::decode);
        self.failed |= block.is_err();
        Some(block)
    }
}

impl Debug for ChainFile {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ChainFile")
            .field("path", &self.path)
            .field("index", &self.index)
            .field("offset", &self.offset)
            .finish_non_exhaustive()
    }
}

impl EncodedBlock {
    /// How many blocks come before it in the file.
    pub fn index(&self) -> u64 {
        self.index
    }

    /// The block's RLP.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Decodes the block.
    ///
    /// # Errors
    ///
    /// If the bytes are not exactly a block's.
    pub fn decode(self) -> Result<FileBlock, ReadError> {
        let Self { path, index, offset, bytes } = self;
        match decode_block(&bytes) {
            Ok(block) => Ok(FileBlock { index, offset, length: bytes.len(), block }),
            Err(error) => Err(read_error(&path, index, offset, error)),
        }
    }
}

fn read_error(path: &Path, index: u64, offset: u64, error: DecodeError) -> ReadError {
    ReadError { path: path.to_owned(), index, offset, kind: ReadErrorKind::Decode(error) }
}
