//! Files of blocks: those that can be read, and errors for those that cannot.
#![allow(clippy::unwrap_used)]

use crate::common::{Recorded, shared};
use flate2::Compression;
use flate2::write::GzEncoder;
use std::fs;
use std::io::{self, Cursor, Read, Write};
use tandem_chain::{ChainFile, FileBlock, MAX_BLOCK_LENGTH, ReadError, ReadErrorKind, write_block};

fn recorded_bytes() -> Option<Vec<u8>> {
    Some(fs::read(shared("chain")?.join("chain.rlp")).unwrap())
}

fn read(bytes: &[u8]) -> (Vec<FileBlock>, Option<ReadError>) {
    let mut file = ChainFile::from_reader("memory", Cursor::new(bytes.to_vec()));
    let mut blocks = Vec::new();
    for block in &mut file {
        match block {
            Ok(block) => blocks.push(block),
            Err(error) => {
                assert!(file.next().is_none() && file.next_encoded().is_none(), "it ends after an error");
                return (blocks, Some(error));
            }
        }
    }
    (blocks, None)
}

#[test]
fn what_is_written_is_read_again() {
    let (Some(recorded), Some(bytes)) = (Recorded::load(), recorded_bytes()) else { return };
    let mut written = Vec::new();
    for (index, file) in recorded.blocks.iter().enumerate() {
        assert_eq!((file.index, file.offset), (index as u64, written.len() as u64));
        write_block(&mut written, &file.block).unwrap();
        assert_eq!(file.offset + file.length as u64, written.len() as u64);
        assert_eq!(file.block.hash(), file.block.header.hash_slow());
    }
    assert_eq!(written, bytes);
}

#[test]
fn blocks_can_be_decoded_elsewhere() {
    let Some(bytes) = recorded_bytes() else { return };
    let mut file = ChainFile::from_reader("memory", Cursor::new(bytes.clone()));
    let mut encoded = Vec::new();
    while let Some(block) = file.next_encoded() {
        encoded.push(block.unwrap());
    }
    let together: Vec<u8> = encoded.iter().flat_map(|block| block.bytes().to_vec()).collect();
    assert_eq!(together, bytes);
    let decoded: Vec<_> = encoded.into_iter().map(|block| block.decode().unwrap().block).collect();
    let streamed: Vec<_> = read(&bytes).0.into_iter().map(|file| file.block).collect();
    assert_eq!(decoded, streamed);
}

#[test]
fn compressed_files_are_decompressed() {
    let Some(bytes) = recorded_bytes() else { return };
    let folder = tempfile::tempdir().unwrap();
    let gzip = |bytes: &[u8]| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    };
    let expected: Vec<_> = read(&bytes).0.into_iter().map(|file| file.block).collect();
    // Two members one after another are one file, as `cat` makes it.
    let halves = bytes.split_at(bytes.len() / 2);
    let twofold = [gzip(halves.0), gzip(halves.1)].concat();
    for (name, content) in
        [("one.rlp.gz", gzip(&bytes)), ("two.rlp.gz", twofold), ("plain.rlp", bytes.clone())]
    {
        let path = folder.path().join(name);
        fs::write(&path, content).unwrap();
        let blocks: Vec<_> = ChainFile::open(&path).unwrap().map(|file| file.unwrap().block).collect();
        assert_eq!(blocks, expected, "{name}");
    }
    let cut = gzip(&bytes);
    let path = folder.path().join("cut.rlp.gz");
    fs::write(&path, &cut[..cut.len() / 2]).unwrap();
    let error = ChainFile::open(&path).unwrap().find_map(Result::err).unwrap();
    assert!(matches!(error.kind, ReadErrorKind::Truncated), "{error}");
}

#[test]
fn an_empty_file_has_no_blocks() {
    let (blocks, error) = read(&[]);
    assert!(blocks.is_empty() && error.is_none());
}

#[test]
fn a_missing_file_is_named() {
    let error = ChainFile::open("no/such/file.rlp").unwrap_err();
    assert!(matches!(error.kind, ReadErrorKind::Open(_)));
    assert!(error.to_string().starts_with("no/such/file.rlp: it cannot be opened: "), "{error}");
}

/// Cuts the file at every length within the first blocks, and near all ends of blocks.
#[test]
fn a_cut_file_says_where() {
    let Some(bytes) = recorded_bytes() else { return };
    let blocks = read(&bytes).0;
    let ends: Vec<usize> = blocks.iter().map(|file| file.offset as usize + file.length).collect();
    let near = |end: usize| end.saturating_sub(9)..(end + 9).min(bytes.len());
    for cut in (0..ends[3]).chain(ends.iter().flat_map(|end| near(*end))) {
        let (whole, error) = read(&bytes[..cut]);
        let expected = ends.iter().filter(|end| **end <= cut).count();
        assert_eq!(whole.len(), expected, "cut at {cut}");
        if cut == 0 || ends.contains(&cut) {
            assert!(error.is_none(), "cut at {cut}");
            continue;
        }
        let error = error.unwrap();
        let begin = if expected == 0 { 0 } else { ends[expected - 1] };
        assert!(matches!(error.kind, ReadErrorKind::Truncated), "cut at {cut}: {error}");
        let message =
            format!("memory: block {expected} of the file, at byte {begin}: the file ends within the block");
        assert_eq!(error.to_string(), message);
    }
}

#[test]
fn what_is_no_list_is_refused() {
    let Some(bytes) = recorded_bytes() else { return };
    let first = read(&bytes).0[0].length;
    for trailing in [0x00_u8, 0x0a, 0x7f, 0x80, 0xb7, 0xbf] {
        let (blocks, error) = read(&[&bytes[..first], &[trailing]].concat());
        assert_eq!(blocks.len(), 1);
        let error = error.unwrap();
        assert!(matches!(error.kind, ReadErrorKind::NoList(byte) if byte == trailing), "{error}");
        assert_eq!((error.index, error.offset), (1, first as u64));
    }
}

#[test]
fn lengths_are_written_in_one_way_only() {
    for (bytes, is_canonical) in [
        (vec![0xf8, 0x37], false),
        (vec![0xf9, 0x00, 0xff], false),
        (vec![0xf8, 0x38], true),
        (vec![0xf9, 0x01, 0x00], true),
    ] {
        let error = read(&bytes).1.unwrap();
        assert_eq!(matches!(error.kind, ReadErrorKind::Length), !is_canonical, "{bytes:x?}: {error}");
    }
}

/// A reader that would never end.
struct Endless;

impl Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        buffer.fill(0xff);
        Ok(buffer.len())
    }
}

#[test]
fn a_broken_length_does_not_fill_the_memory() {
    let error = ChainFile::from_reader("endless", Endless).next().unwrap().unwrap_err();
    assert!(matches!(error.kind, ReadErrorKind::TooLong(length) if length > MAX_BLOCK_LENGTH), "{error}");
    let head = [0xfb, 0x0f, 0xff, 0xff, 0xff];
    let error = read(&head).1.unwrap();
    assert!(matches!(error.kind, ReadErrorKind::Truncated), "{error}");
}

/// A reader that fails, and one that gives a byte at a time.
struct Failing;

impl Read for Failing {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::Error::other("the disk is gone"))
    }
}

struct Dripping(Cursor<Vec<u8>>);

impl Read for Dripping {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let end = buffer.len().min(1);
        self.0.read(&mut buffer[..end])
    }
}

#[test]
fn readers_may_fail_or_be_slow() {
    let error = ChainFile::from_reader("disk", Failing).next().unwrap().unwrap_err();
    assert_eq!(error.to_string(), "disk: block 0 of the file, at byte 0: reading failed: the disk is gone");
    let Some(bytes) = recorded_bytes() else { return };
    let slow = ChainFile::from_reader("pipe", Dripping(Cursor::new(bytes.clone())));
    assert_eq!(slow.map(Result::unwrap).count(), read(&bytes).0.len());
}
