//! Block stores that threads share.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use cid::Cid;
use foldhash::fast::RandomState;
use fvm_ipld_blockstore::Blockstore;
use fvm_ipld_encoding::{CborStore, DAG_CBOR};
use fvm_shared::IDENTITY_HASH;
use multihash_codetable::Code;
use parking_lot::{Mutex, RwLock};

use crate::cbor::{self, Link};

/// Enough that threads seldom meet at one lock.
const SHARDS: usize = 64;

type Shard = RwLock<HashMap<Cid, Arc<[u8]>, RandomState>>;

/// How names begin that blocks have nearly always: CID version 1, DAG-CBOR, BLAKE2b of 32 bytes.
const USUAL: &[u8] = &[0x01, 0x71, 0xa0, 0xe4, 0x02, 0x20];

/// The end of a name or of its digest, which is as random as any part.
fn ending(name: &[u8]) -> &[u8; 8] {
    name.last_chunk().unwrap_or(&[0; 8])
}

/// Blocks in memory.
pub struct MemoryStore {
    shards: Box<[Shard; SHARDS]>,
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self { shards: Box::new(std::array::from_fn(|_| Shard::default())) }
    }
}

impl MemoryStore {
    fn shard(&self, cid: &Cid) -> &Shard {
        &self.shards[usize::from(ending(cid.hash().digest())[0]) % SHARDS]
    }

    /// The number of blocks.
    pub fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.read().len()).sum()
    }

    /// Whether there are no blocks.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The names of all blocks, in no order.
    pub fn cids(&self) -> Vec<Cid> {
        self.shards.iter().flat_map(|shard| shard.read().keys().copied().collect::<Vec<_>>()).collect()
    }

    /// Another store with the same blocks.
    #[must_use]
    pub fn copy(&self) -> Self {
        let copy = Self::default();
        for (mine, theirs) in self.shards.iter().zip(copy.shards.iter()) {
            *theirs.write() = mine.read().clone();
        }
        copy
    }

    fn block(&self, cid: &Cid) -> Option<Arc<[u8]>> {
        self.shard(cid).read().get(cid).map(Arc::clone)
    }

    /// The ends of the names of all blocks.
    fn endings(&self) -> HashSet<[u8; 8], RandomState> {
        let mut endings = HashSet::default();
        for shard in self.shards.iter() {
            endings.extend(shard.read().keys().map(|cid| *ending(cid.hash().digest())));
        }
        endings
    }

    /// Keeps a block, if it is not there yet; gives the data that is there now.
    fn keep(&self, cid: &Cid, data: &[u8]) -> Arc<[u8]> {
        Arc::clone(self.shard(cid).write().entry(*cid).or_insert_with(|| data.into()))
    }

    /// Forgets a block, if it was there.
    pub fn remove(&self, cid: &Cid) -> bool {
        self.shard(cid).write().remove(cid).is_some()
    }
}

impl Blockstore for MemoryStore {
    fn get(&self, cid: &Cid) -> anyhow::Result<Option<Vec<u8>>> {
        Ok(self.block(cid).map(|data| data.to_vec()))
    }

    fn put_keyed(&self, cid: &Cid, data: &[u8]) -> anyhow::Result<()> {
        self.keep(cid, data);
        Ok(())
    }

    fn has(&self, cid: &Cid) -> anyhow::Result<bool> {
        Ok(self.shard(cid).read().contains_key(cid))
    }
}

/// A block that final steps wrote.
pub(crate) struct Entry {
    pub(crate) cid: Cid,
    pub(crate) data: Arc<[u8]>,
    /// The worker process that wrote it and so has it, if one did.
    pub(crate) process: Option<usize>,
}

/// The blocks that final steps wrote, in order, for workers that do not share the store.
pub(crate) type Journal = Mutex<Vec<Entry>>;

/// A base that is only read, and what a tipset's execution wrote, shared by all workers of a process. Blocks are named by their
/// content, so it does no harm that speculation writes blocks which nothing comes to link to: `settle` leaves them behind.
pub(crate) struct Layered<B> {
    base: Arc<B>,
    fresh: Arc<MemoryStore>,
    /// Where to note writes through this handle.
    journal: Option<Arc<Journal>>,
    /// Where to note missing blocks.
    lacking: Option<Arc<Mutex<Vec<Cid>>>>,
}

impl<B> Clone for Layered<B> {
    fn clone(&self) -> Self {
        Self {
            base: Arc::clone(&self.base),
            fresh: Arc::clone(&self.fresh),
            journal: self.journal.clone(),
            lacking: self.lacking.clone(),
        }
    }
}

impl<B: Blockstore> Layered<B> {
    pub(crate) fn new(base: Arc<B>) -> anyhow::Result<Self> {
        let layered = Self { base, fresh: Arc::default(), journal: None, lacking: None };
        // Every actor's state before its constructor ran; `fvm` too sees to it that it is there.
        layered.put_cbor(&[(); 0], Code::Blake2b256)?;
        Ok(layered)
    }

    /// The same blocks; writes through this handle are noted in the journal.
    #[must_use]
    pub(crate) fn noted(mut self, journal: &Arc<Journal>) -> Self {
        self.journal = Some(Arc::clone(journal));
        self
    }

    /// The same blocks; nothing is noted.
    pub(crate) fn unnoted(&self) -> Self {
        Self { journal: None, lacking: None, ..self.clone() }
    }

    /// The same blocks; missing ones are noted.
    #[must_use]
    pub(crate) fn watched(mut self) -> Self {
        self.lacking = Some(Arc::default());
        self
    }

    /// Blocks that were looked for in vain since this was last asked.
    pub(crate) fn lacking(&self) -> Vec<Cid> {
        self.lacking.as_ref().map(|lacking| std::mem::take(&mut *lacking.lock())).unwrap_or_default()
    }

    /// A block that this tipset's execution wrote.
    pub(crate) fn written(&self, cid: &Cid) -> Option<Arc<[u8]>> {
        self.fresh.block(cid)
    }

    /// Writes the new blocks under `root` to the base, the root last. Gives them.
    pub(crate) fn settle(&self, root: &Cid) -> anyhow::Result<Vec<(Cid, Arc<[u8]>)>> {
        // Most links lead to old blocks: they are told by a part of their names, before those are parsed.
        let new = self.fresh.endings();
        let new = |link: &Link<'_>| match link.name.starts_with(USUAL) && !new.contains(ending(link.name)) {
            true => None,
            false => link.cid(),
        };
        let mut found = Vec::new();
        let mut seen = HashSet::with_hasher(RandomState::default());
        let mut todo = vec![*root];
        while let Some(cid) = todo.pop() {
            let data = if cid.hash().code() == IDENTITY_HASH {
                Some(cid.hash().digest().into())
            } else {
                self.fresh.block(&cid)
            };
            let Some(data) = data.filter(|_| seen.insert(cid)) else {
                continue;
            };
            if cid.codec() == DAG_CBOR {
                let links =
                    cbor::links(&data).ok_or_else(|| anyhow::anyhow!("block {cid} is not valid DAG-CBOR"))?;
                todo.extend(links.iter().filter_map(new));
            }
            if cid.hash().code() != IDENTITY_HASH {
                found.push((cid, data));
            }
        }
        self.base.put_many_keyed(found.iter().rev().map(|(cid, data)| (*cid, data)))?;
        Ok(found)
    }
}

impl<B: Blockstore> Blockstore for Layered<B> {
    fn get(&self, cid: &Cid) -> anyhow::Result<Option<Vec<u8>>> {
        match self.fresh.get(cid)? {
            Some(data) => Ok(Some(data)),
            None => {
                let found = self.base.get(cid)?;
                if let (None, Some(lacking)) = (&found, &self.lacking) {
                    lacking.lock().push(*cid);
                }
                Ok(found)
            }
        }
    }

    fn put_keyed(&self, cid: &Cid, data: &[u8]) -> anyhow::Result<()> {
        let data = self.fresh.keep(cid, data);
        if let Some(journal) = &self.journal {
            journal.lock().push(Entry { cid: *cid, data, process: None });
        }
        Ok(())
    }

    fn has(&self, cid: &Cid) -> anyhow::Result<bool> {
        Ok(self.fresh.has(cid)? || self.base.has(cid)?)
    }
}
