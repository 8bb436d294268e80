//! The recorded chain, and files with a part of it or something else in place of a part.

use crate::common::datadir::{Datadir, Head, recorded_chain};
use crate::common::{stderr, stdout};
use alloy_consensus::{Block, Header, TxEnvelope};
use std::path::PathBuf;
use tandem_chain::{ChainFile, write_block};

/// The recorded chain, which passes through every fork from Homestead to BPO2.
pub(crate) struct Recorded {
    pub(crate) genesis: PathBuf,
    pub(crate) file: PathBuf,
    /// From number 1 on.
    blocks: Vec<Block<TxEnvelope>>,
    last_hash: String,
}

/// The RLP of blocks, one after another.
pub(crate) fn encode<'a>(blocks: impl IntoIterator<Item = &'a Block<TxEnvelope>>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for block in blocks {
        write_block(&mut bytes, block).expect("writing to memory");
    }
    bytes
}

impl Recorded {
    pub(crate) fn load() -> Option<Self> {
        let folder = recorded_chain()?;
        let file = folder.join("chain.rlp");
        let blocks: Vec<_> =
            ChainFile::open(&file).expect("a file").map(|block| block.expect("a block").block).collect();
        let last_hash = blocks.last().expect("blocks").hash().to_string();
        let blocks = blocks.into_iter().map(|block| block.into_inner()).collect();
        Some(Self { genesis: folder.join("genesis.json"), file, blocks, last_hash })
    }

    /// The number of the last block.
    pub(crate) fn last(&self) -> u64 {
        self.blocks.len() as u64
    }

    pub(crate) fn block(&self, number: u64) -> &Block<TxEnvelope> {
        &self.blocks[number as usize - 1]
    }

    /// The blocks from one number to another one.
    pub(crate) fn blocks(&self, first: u64, last: u64) -> &[Block<TxEnvelope>] {
        &self.blocks[first as usize - 1..last as usize]
    }

    /// The blocks from `number` on, the header of the first of them changed.
    pub(crate) fn changed(&self, number: u64, change: impl FnOnce(&mut Header)) -> Vec<u8> {
        let mut changed = self.block(number).clone();
        change(&mut changed.header);
        assert_ne!(changed.header, self.block(number).header);
        encode(std::iter::once(&changed).chain(self.blocks(number + 1, self.last())))
    }

    /// A data directory with the blocks up to a number.
    pub(crate) fn datadir(&self, last: u64) -> Datadir {
        let data = Datadir::new();
        let file = data.write("first.rlp", &encode(self.blocks(1, last)));
        let output = data.import(Some(&self.genesis), &[&file], &[]);
        assert!(output.status.success(), "{}", stderr(&output));
        assert_eq!(data.head().number, last);
        data
    }

    /// The good chain can be imported to its end, and then all is well.
    pub(crate) fn assert_completes(&self, data: &Datadir) -> Head {
        let output = data.import(Some(&self.genesis), &[&self.file], &["--threads", "2"]);
        assert!(output.status.success(), "{}\n{}", stderr(&output), stdout(&output));
        let head = data.check();
        assert_eq!((head.number, &head.hash), (self.last(), &self.last_hash));
        head
    }
}

/// Where each string of an item of RLP is: where its head begins, where its payload begins, and where it ends.
pub(crate) fn strings(bytes: &[u8]) -> Vec<(usize, usize, usize)> {
    let (mut found, mut at) = (Vec::new(), 0);
    while at < bytes.len() {
        let size =
            |more: u8| bytes[at + 1..=at + usize::from(more)].iter().fold(0, |n, b| n << 8 | usize::from(*b));
        let (start, length) = match bytes[at] {
            0..0x80 => (at, 1),
            short @ 0x80..0xb8 => (at + 1, usize::from(short - 0x80)),
            long @ 0xb8..0xc0 => (at + 1 + usize::from(long - 0xb7), size(long - 0xb7)),
            // The list's items come next.
            0xc0..0xf8 => {
                at += 1;
                continue;
            }
            long => {
                at += 1 + usize::from(long - 0xf7);
                continue;
            }
        };
        found.push((at, start, start + length));
        at = start + length;
    }
    found
}
