use super::kept::SpareContent;
use alloy_primitives::B256;
use alloy_primitives::map::{B256Map, HashMap};
use parking_lot::RwLock;
use revm::bytecode::Bytecode;

/// Codes that the stream has met and hashes of its blocks: content that needs no version.
#[derive(Debug)]
pub(crate) struct Pools<'e> {
    /// Codes by hash, created or come with accounts of the store. Speculation may add codes that never become final; nobody names them
    /// then.
    pub(crate) codes: RwLock<B256Map<Bytecode>>,
    /// Hash of each block's parent, by world and the parent's number.
    pub(crate) block_hashes: RwLock<HashMap<(u32, u64), B256>>,
    pub(super) spare: &'e SpareContent,
}

impl<'e> Pools<'e> {
    pub(crate) fn new(spare: &'e SpareContent) -> Self {
        Self { codes: RwLock::default(), block_hashes: RwLock::default(), spare }
    }

    /// Takes in a code that came with an account: of the store, or just created.
    pub(crate) fn add_code(&self, code_hash: B256, code: &Bytecode) {
        if !self.codes.read().contains_key(&code_hash) {
            self.codes.write().entry(code_hash).or_insert_with(|| code.clone());
        }
    }
}
