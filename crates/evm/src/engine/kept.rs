//! What an executor keeps for its next streams, within bounds.

use super::ledger::Ledger;
use super::location::EvmState;
use crate::hash_cache::Hashes;
use alloy_primitives::B256;
use alloy_primitives::map::B256Map;
use parking_lot::Mutex;
use revm::bytecode::Bytecode;
use tandem_stm::Arena;

/// Memory of the codes that a worker keeps at most, in bytes.
const CODES: usize = 32 << 20;

/// Memory that a worker keeps for the ledger and for the EVM at most, in bytes, each.
const BUFFER: usize = 4 << 20;

/// What a worker keeps for its next streams: what is true in every state, as copies of its own, since what cores share is slow; and empty
/// buffers.
#[derive(Debug, Default)]
pub(crate) struct Content {
    /// Analysed codes that it has used.
    codes: B256Map<Bytecode>,
    /// Their memory, in bytes.
    code_bytes: usize,
    pub(crate) hashes: Hashes,
    ledger: Ledger,
    /// For the memory of the EVM's frames.
    memory: Vec<u8>,
}

impl Content {
    /// An empty ledger.
    pub(super) fn take_ledger(&mut self) -> Ledger {
        std::mem::take(&mut self.ledger)
    }

    /// An empty buffer for the memory of the EVM's frames.
    pub(super) fn take_memory(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.memory)
    }

    /// Keeps the buffers of a worker that leaves, unless they are large.
    pub(super) fn keep_buffers(&mut self, mut ledger: Ledger, mut memory: Vec<u8>) {
        if ledger.bytes() <= BUFFER {
            ledger.begin(true);
            self.ledger = ledger;
        }
        if memory.capacity() <= BUFFER {
            memory.clear();
            self.memory = memory;
        }
    }

    /// A code that it has used.
    pub(crate) fn code(&self, hash: &B256) -> Option<&Bytecode> {
        self.codes.get(hash)
    }

    /// Keeps a code; all others are forgotten if there are too many.
    pub(crate) fn keep_code(&mut self, hash: B256, code: Bytecode) {
        // One bit of each byte of code says whether it can be jumped to.
        let bytes = code.bytes_slice().len() + code.len() / 8 + size_of::<(B256, Bytecode)>();
        if self.code_bytes + bytes > CODES {
            self.codes = B256Map::default();
            self.code_bytes = 0;
        }
        if self.codes.insert(hash, code).is_none() {
            self.code_bytes += bytes;
        }
    }

    /// Memory, in bytes.
    fn bytes(&self) -> usize {
        self.code_bytes + self.hashes.bytes() + self.ledger.bytes() + self.memory.capacity()
    }
}

/// What workers that have left knew, for the next ones.
#[derive(Debug)]
pub(crate) struct SpareContent {
    contents: Mutex<Vec<Content>>,
    /// Memory that it may take at most, in bytes.
    most: usize,
}

impl SpareContent {
    fn new(most: usize) -> Self {
        Self { contents: Mutex::default(), most }
    }

    /// What some worker knew, or nothing.
    pub(crate) fn take(&self) -> Content {
        self.contents.lock().pop().unwrap_or_default()
    }

    /// Keeps what a worker knew, if there is room.
    pub(crate) fn keep(&self, content: Content) {
        let mut contents = self.contents.lock();
        if contents.iter().map(Content::bytes).sum::<usize>() + content.bytes() <= self.most {
            contents.push(content);
        }
    }

    fn bytes(&self) -> usize {
        self.contents.lock().iter().map(Content::bytes).sum()
    }
}

/// What is kept from stream to stream.
#[derive(Debug)]
pub(crate) struct Kept {
    content: SpareContent,
    /// Memory of streams; more than one only if several ran at once.
    arenas: Mutex<Vec<Arena<EvmState>>>,
    /// Memory that all of it may take at most, in bytes.
    most: usize,
}

impl Kept {
    /// Keeps `most` bytes at most, up to a half of them for what workers know.
    pub(crate) fn new(most: usize) -> Self {
        Self { content: SpareContent::new(most / 2), arenas: Mutex::default(), most }
    }

    /// For a stream's workers.
    pub(crate) fn content(&self) -> &SpareContent {
        &self.content
    }

    /// Memory for a stream.
    pub(crate) fn arena(&self) -> Arena<EvmState> {
        self.arenas.lock().pop().unwrap_or_default()
    }

    /// Keeps a stream's memory, as much as there is room for.
    pub(crate) fn keep(&self, mut arena: Arena<EvmState>) {
        let mut arenas = self.arenas.lock();
        let taken = self.content.bytes() + arenas.iter().map(Arena::bytes).sum::<usize>();
        let room = self.most.saturating_sub(taken);
        arena.shrink_to(room);
        if arena.bytes() <= room {
            arenas.push(arena);
        }
    }

    /// Memory, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.content.bytes() + self.arenas.lock().iter().map(Arena::bytes).sum::<usize>()
    }

    /// Gives everything back.
    pub(crate) fn release(&self) {
        let contents = std::mem::take(&mut *self.content.contents.lock());
        let arenas = std::mem::take(&mut *self.arenas.lock());
        drop((contents, arenas));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use revm::primitives::Bytes;

    /// A code of 24 KiB, told from others by its first byte's follower.
    fn code(number: u32) -> (B256, Bytecode) {
        let mut code = vec![0x60; 24 << 10];
        code[1..5].copy_from_slice(&number.to_be_bytes());
        let code = Bytecode::new_legacy(Bytes::from(code));
        (code.hash_slow(), code)
    }

    #[test]
    fn codes_are_bounded_by_their_bytes() {
        let mut content = Content::default();
        for number in 0..3_000 {
            let (hash, code) = code(number);
            content.keep_code(hash, code.clone());
            assert_eq!(content.code(&hash), Some(&code));
            let bytes: usize = content.codes.values().map(|code| code.bytes_slice().len()).sum();
            assert!(bytes <= content.code_bytes && content.code_bytes <= CODES);
        }
        let most = content.codes.len();
        assert!((1..3_000).contains(&most), "{most} codes are kept");
    }

    #[test]
    fn what_workers_knew_is_kept_as_far_as_there_is_room() {
        let kept = Kept::new(8 << 20);
        for _ in 0..20 {
            let mut content = Content::default();
            (0..30).for_each(|number| content.keep_code(code(number).0, code(number).1));
            kept.content().keep(content);
        }
        assert!((3 << 20..=4 << 20).contains(&kept.bytes()), "{} bytes are kept", kept.bytes());
        kept.release();
        assert_eq!(kept.bytes(), 0);
    }
}
