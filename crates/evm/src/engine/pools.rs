use super::kept::SpareContent;
use super::location::{Key, Value};
use alloy_primitives::B256;
use alloy_primitives::map::{B256Map, HashMap};
use parking_lot::RwLock;
use revm::bytecode::Bytecode;
use std::sync::Arc;

/// What earlier rounds of a stream have changed, unless the store holds it.
pub(super) type Retired = HashMap<Key, Value>;

/// Codes that the stream has met and hashes of its blocks: content that needs no version.
#[derive(Debug)]
pub(crate) struct Pools<'e> {
    /// Codes by hash, created or come with accounts of the store. Speculation may add codes that never become final; nobody names them
    /// then.
    pub(crate) codes: RwLock<B256Map<Bytecode>>,
    /// Hash of each block's parent, by world and the parent's number.
    pub(crate) block_hashes: RwLock<HashMap<(u32, u64), B256>>,
    pub(super) spare: &'e SpareContent,
    /// Workers have references to it while they execute a round.
    retired: RwLock<Option<Arc<Retired>>>,
}

/// A block's code reads the hashes of so many blocks before it at most.
const HASHES: u64 = 256;

impl<'e> Pools<'e> {
    pub(crate) fn new(spare: &'e SpareContent) -> Self {
        Self { codes: RwLock::default(), block_hashes: RwLock::default(), spare, retired: RwLock::default() }
    }

    /// Takes in a code that came with an account: of the store, or just created.
    pub(crate) fn add_code(&self, code_hash: B256, code: &Bytecode) {
        if !self.codes.read().contains_key(&code_hash) {
            self.codes.write().entry(code_hash).or_insert_with(|| code.clone());
        }
    }

    /// What earlier rounds have changed, unless the store holds it.
    pub(super) fn retired(&self) -> Option<Arc<Retired>> {
        self.retired.read().clone()
    }

    /// Takes over what the stream has changed, between two rounds.
    pub(super) fn retire(&self, changed: &mut dyn Iterator<Item = (Key, Value)>) {
        let mut retired = self.retired.write();
        Arc::make_mut(retired.get_or_insert_default()).extend(changed);
    }

    /// Forgets what the stream has changed, between two rounds: the store holds all of it.
    pub(super) fn forget(&self) {
        *self.codes.write() = B256Map::default();
        let mut last = HashMap::<u32, u64>::default();
        let mut hashes = self.block_hashes.write();
        for &(world, number) in hashes.keys() {
            let last = last.entry(world).or_default();
            *last = number.max(*last);
        }
        hashes.retain(|(world, number), _| last.get(world).is_none_or(|last| number + HASHES > *last));
    }
}
