use super::{
    collect::{Changes, collect},
    find::Query,
    hash::refresh,
    node::Link,
    prune::{Ages, count_ages, forget},
    read::lookup,
    reference::Reference,
    update::{Update, sort},
    value::Value,
    walk::{Effects, Walk},
};
use crate::trie::error::TrieError;
use crate::trie::source::NodeSource;
use crate::trie::updates::StorageNodes;
use alloy_primitives::B256;
use alloy_trie::{EMPTY_ROOT_HASH, Nibbles};

/// A Merkle-Patricia trie that holds the nodes that were needed so far and knows the rest by hash.
///
/// Keys are up to 64 nibbles long; one may be a prefix of another. After an error the trie may be half-changed: make it
/// anew from a known root.
#[derive(Debug)]
pub struct SparseTrie {
    owner: Option<B256>,
    /// `None` if the trie is empty.
    root: Option<Link>,
    /// Places where a stored inner node ceased to be since nodes were last taken.
    vanished: Vec<Nibbles>,
    /// Whether the trie was cleared since nodes were last taken.
    wiped: bool,
    resident: usize,
}

impl SparseTrie {
    /// The trie with this root, of which nothing else is known. `owner` is what a source is asked with.
    pub fn new(owner: Option<B256>, root: B256) -> Self {
        let root = (root != EMPTY_ROOT_HASH).then(|| Link::unknown(Reference::hash(root)));
        Self { owner, root, vanished: Vec::new(), wiped: false, resident: 0 }
    }

    /// Whether the trie has no keys.
    pub fn is_empty(&self) -> bool {
        self.root.is_none()
    }

    /// The root's hash, computed from what has changed.
    pub fn root(&mut self) -> B256 {
        match &mut self.root {
            None => EMPTY_ROOT_HASH,
            Some(link) => {
                refresh(link, &mut Vec::new());
                link.reference.to_hash()
            }
        }
    }

    /// Sets values (in `epoch`, see [`Self::take_nodes`]); `None` and an empty value remove the key. The last one of
    /// several for a key counts. Returns whether anything changed.
    ///
    /// # Errors
    ///
    /// If a node is needed that `source` cannot give.
    pub fn update<N: NodeSource>(
        &mut self,
        updates: impl IntoIterator<Item = (Nibbles, Option<impl AsRef<[u8]>>)>,
        source: &N,
        epoch: u32,
    ) -> Result<bool, TrieError<N::Error>> {
        let updates = updates.into_iter();
        let updates = updates
            .map(|(key, value)| Update { key, value: value.and_then(|value| Value::new(value.as_ref())) });
        self.apply(&mut updates.collect(), source, epoch)
    }

    pub(in crate::trie) fn apply<N: NodeSource>(
        &mut self,
        updates: &mut Vec<Update>,
        source: &N,
        epoch: u32,
    ) -> Result<bool, TrieError<N::Error>> {
        sort(updates);
        let mut effects = Effects::default();
        let walk = Walk { source, owner: self.owner, epoch };
        let result = walk.apply(&mut self.root, &Nibbles::new(), updates, &mut effects);
        self.note(effects);
        result
    }

    /// The values of keys, ascending, each as `decode` makes it. The nodes on the way stay in memory.
    pub(in crate::trie) fn find<N: NodeSource, T: Send>(
        &mut self,
        keys: impl IntoIterator<Item = Nibbles>,
        decode: impl Fn(&[u8]) -> Option<T> + Sync,
        source: &N,
        epoch: u32,
    ) -> Result<Vec<Option<T>>, TrieError<N::Error>> {
        let mut queries: Vec<_> = keys.into_iter().map(|key| Query { key, found: None }).collect();
        if let Some(link) = &mut self.root {
            let mut effects = Effects::default();
            let walk = Walk { source, owner: self.owner, epoch };
            let result = walk.find(link, &Nibbles::new(), &mut queries, &decode, &mut effects);
            self.note(effects);
            result?;
        }
        Ok(queries.into_iter().map(|query| query.found).collect())
    }

    /// The value of a key; `None` only if the trie proves that it has none. Nodes that are read on the way are not kept.
    ///
    /// # Errors
    ///
    /// If a node is needed that `source` cannot give.
    pub fn get<N: NodeSource>(
        &self,
        key: &Nibbles,
        source: &N,
    ) -> Result<Option<Vec<u8>>, TrieError<N::Error>> {
        match &self.root {
            Some(link) => lookup(link, self.owner, key, source),
            None => Ok(None),
        }
    }

    /// Removes all keys.
    pub fn clear(&mut self) {
        if self.root.take().is_some() {
            self.vanished.clear();
            self.wiped = true;
            self.resident = 0;
        }
    }

    /// Inner nodes that changed since `epoch` began. Each call has to give an epoch higher than the one before, and all
    /// changes in between have to be marked with that epoch.
    pub fn take_nodes(&mut self, epoch: u32) -> StorageNodes {
        self.root();
        let nodes: Changes = collect(self.root.as_mut(), std::mem::take(&mut self.vanished), epoch);
        StorageNodes { wiped: std::mem::take(&mut self.wiped), nodes }
    }

    /// Forgets nodes that changed in no epoch after `durable` and were visited in none after `used`.
    pub fn forget(&mut self, durable: u32, used: u32) {
        if let Some(link) = &mut self.root {
            self.resident -= forget(link, 0, durable, used);
        }
    }

    /// Adds up the nodes that might be forgotten by the epoch of their last visit.
    pub(in crate::trie) fn count_ages(&mut self, durable: u32, ages: &mut Ages) {
        if let Some(link) = &mut self.root {
            count_ages(link, 0, durable, ages);
        }
    }

    /// Number of nodes in memory.
    pub fn resident_nodes(&self) -> usize {
        self.resident
    }

    fn note(&mut self, mut effects: Effects) {
        self.vanished.append(&mut effects.vanished);
        self.resident = (self.resident + effects.added).saturating_sub(effects.dropped);
    }
}
