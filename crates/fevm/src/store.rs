//! Block stores that threads share.

use std::collections::HashMap;
use std::sync::Arc;

use cid::Cid;
use fvm_ipld_blockstore::Blockstore;
use fvm_ipld_encoding::DAG_CBOR;
use fvm_shared::IDENTITY_HASH;
use parking_lot::RwLock;

use crate::cbor;

/// Enough that threads seldom meet at one lock.
const SHARDS: usize = 64;

type Shard = RwLock<HashMap<Cid, Arc<[u8]>>>;

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
        // The last byte of a digest is as random as any.
        let byte = cid.hash().digest().last().copied().unwrap_or_default();
        &self.shards[usize::from(byte) % SHARDS]
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

    /// Forgets a block, if it was there.
    pub fn remove(&self, cid: &Cid) -> bool {
        self.shard(cid).write().remove(cid).is_some()
    }
}

impl Blockstore for MemoryStore {
    fn get(&self, cid: &Cid) -> anyhow::Result<Option<Vec<u8>>> {
        Ok(self.shard(cid).read().get(cid).map(|data| data.to_vec()))
    }

    fn put_keyed(&self, cid: &Cid, data: &[u8]) -> anyhow::Result<()> {
        let shard = self.shard(cid);
        if !shard.read().contains_key(cid) {
            shard.write().insert(*cid, data.into());
        }
        Ok(())
    }

    fn has(&self, cid: &Cid) -> anyhow::Result<bool> {
        Ok(self.shard(cid).read().contains_key(cid))
    }
}

/// A base that is only read, and what a tipset's execution wrote, shared by all workers. Blocks are named by their content, so it
/// does no harm that speculation writes blocks which nothing comes to link to: `settle` leaves them behind.
pub(crate) struct Layered<B> {
    base: Arc<B>,
    fresh: Arc<MemoryStore>,
}

impl<B> Clone for Layered<B> {
    fn clone(&self) -> Self {
        Self { base: Arc::clone(&self.base), fresh: Arc::clone(&self.fresh) }
    }
}

impl<B: Blockstore> Layered<B> {
    pub(crate) fn new(base: Arc<B>) -> Self {
        Self { base, fresh: Arc::default() }
    }

    /// Writes the new blocks under `root` to the base, the root last.
    pub(crate) fn settle(&self, root: &Cid) -> anyhow::Result<()> {
        let mut found = Vec::new();
        let mut seen = std::collections::HashSet::new();
        let mut todo = vec![*root];
        while let Some(cid) = todo.pop() {
            let data = if cid.hash().code() == IDENTITY_HASH {
                Some(cid.hash().digest().to_vec())
            } else {
                self.fresh.get(&cid)?
            };
            let Some(data) = data.filter(|_| seen.insert(cid)) else {
                continue;
            };
            if cid.codec() == DAG_CBOR {
                let links =
                    cbor::links(&data).ok_or_else(|| anyhow::anyhow!("block {cid} is not valid DAG-CBOR"))?;
                todo.extend(links.into_iter().map(|(cid, _)| cid));
            }
            if cid.hash().code() != IDENTITY_HASH {
                found.push((cid, data));
            }
        }
        self.base.put_many_keyed(found.into_iter().rev())
    }
}

impl<B: Blockstore> Blockstore for Layered<B> {
    fn get(&self, cid: &Cid) -> anyhow::Result<Option<Vec<u8>>> {
        match self.fresh.get(cid)? {
            Some(data) => Ok(Some(data)),
            None => self.base.get(cid),
        }
    }

    fn put_keyed(&self, cid: &Cid, data: &[u8]) -> anyhow::Result<()> {
        self.fresh.put_keyed(cid, data)
    }

    fn has(&self, cid: &Cid) -> anyhow::Result<bool> {
        Ok(self.fresh.has(cid)? || self.base.has(cid)?)
    }
}
